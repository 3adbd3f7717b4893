import type { RuleSet } from '../../games';
import { compatible } from './compatibility';
import { capacityOf, groupOf, joined, neededNow, type Group } from './group';
import { qualityOf } from './quality';
import { assignRoles } from './roles';
import { createRow, type Row } from './row';
import { seekerOf, type Seeker } from './seeker';
import { splitIntoTeams, type Teams } from './teams';
import { REGIONS, type Proposal, type Region, type Ticket } from './ticket';

export interface Pool {
  tickets: readonly Ticket[];
  ruleSet: RuleSet;
  /** Milliseconds since the epoch. */
  now: number;
  /** Decides between tickets that have waited equally long. */
  seed: number;
}

/**
 * One pass over a pool. Tickets stand in a row by rating. From the one that has waited longest to the newest, each looks
 * outward from its place for tickets that suit it, nearest first, and a bounded depth-first search puts together the fullest
 * group in which everybody accepts everybody else (group.ts), that can be split into fair teams (teams.ts). A ticket that
 * finds nothing is passed over and stays available to the others.
 *
 * Pure, and independent of the order of `tickets`: the same tickets, rules, time and seed give the same proposals.
 */
export function propose({ tickets, ruleSet, now, seed }: Pool): Proposal[] {
  const byWaiting = tickets
    .filter((ticket) => ticket.players.length <= ruleSet.teams.size.max)
    .map((ticket) => ({ seeker: seekerOf(ticket, ruleSet, now), tie: tieBreak(ticket.id, seed) }))
    .filter(({ seeker }) => seeker.minPlayers <= seeker.maxPlayers && seeker.regions !== 0)
    .sort(byAge)
    .map(({ seeker }) => seeker);
  const row = createRow(byWaiting);

  const proposals: Proposal[] = [];
  for (const seeker of byWaiting) {
    if (!row.has(seeker)) continue;
    const found = findMatch(seeker, row, ruleSet);
    if (!found) continue;
    row.remove(found.group.members);
    proposals.push(toProposal(found.group, found.teams, ruleSet));
  }
  return proposals;
}

interface Aged {
  seeker: Seeker;
  tie: number;
}

/** Longest waiting first; a total order. */
function byAge(a: Aged, b: Aged): number {
  const [first, second] = [a.seeker.ticket, b.seeker.ticket];
  return first.waitingSince - second.waitingSince || a.tie - b.tie || (first.id < second.id ? -1 : 1);
}

/** FNV-1a over the id, started from the seed. */
function tieBreak(id: string, seed: number): number {
  let hash = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193) >>> 0;
  return hash;
}

interface Match {
  group: Group;
  teams: Teams;
}

/** How many suitable tickets one search looks at, and how many times it asks whether one may join. */
const candidatesFor = (most: number) => Math.max(64, 4 * most);
const asksFor = (candidates: number) => 12 * candidates;

function findMatch(seed: Seeker, row: Row, rules: RuleSet): Match | null {
  const limit = candidatesFor(seed.maxPlayers);
  const candidates = candidatesOf(seed, row, limit);
  let asks = asksFor(limit);
  let best: Match | null = null;

  /** True when the search may end: full, or out of budget. */
  const search = (group: Group, from: number): boolean => {
    const capacity = capacityOf(group, rules);
    // a party alone is a match only where nobody could be added: it queued to meet others
    const enough = group.members.length > 1 || group.players === capacity;
    if (enough && group.players > (best?.group.players ?? 0) && group.players >= neededNow(group, rules)) {
      const teams = splitIntoTeams(group.members, rules);
      if (teams && teams.gap <= group.teamGapLimit) best = { group, teams };
      if (best?.group === group && group.players === capacity) return true;
    }
    if (group.players >= capacity) return false;
    for (let i = from; i < candidates.length; i++) {
      if (asks-- <= 0) return true;
      const larger = joined(group, candidates[i] as Seeker, rules);
      if (larger && search(larger, i + 1)) return true;
    }
    return false;
  };
  search(groupOf(seed), 0);
  return best;
}

function candidatesOf(seed: Seeker, row: Row, limit: number): Seeker[] {
  const found: Seeker[] = [];
  for (const seeker of row.outward(seed)) {
    if (Math.abs(seeker.rating - seed.rating) > seed.spreadLimit) break;
    if (compatible(seed, seeker)) found.push(seeker);
    if (found.length === limit) break;
  }
  return found;
}

function toProposal(group: Group, { teams }: Teams, rules: RuleSet): Proposal {
  return {
    ticketIds: group.members.map((member) => member.ticket.id),
    teams: teams.map((members) => {
      const players = members.flatMap((member) => member.ticket.players);
      const roles = rules.roles === null ? null : assignRoles(players, rules.roles);
      return players.map((player, i) => ({ userId: player.userId, role: roles?.[i] ?? null }));
    }),
    region: regionOf(group),
    quality: qualityOf(teams, rules),
  };
}

/** Of the regions that all who insist can accept: the lowest worst latency known, then the one that most tickets name. */
function regionOf(group: Group): Region | null {
  const named = (region: Region) => group.members.filter(({ ticket }) => ticket.regions.includes(region)).length;
  const measured = (region: Region) => group.members.some(({ ticket }) => ticket.latencies[region] !== undefined);
  const worst = (region: Region) =>
    Math.max(
      ...group.members
        .filter(({ ticket }) => Object.keys(ticket.latencies).length > 0)
        .map(({ ticket }) => ticket.latencies[region] ?? Infinity),
    );
  const possible = REGIONS.filter(
    (region, bit) => (group.regions & (1 << bit)) !== 0 && (named(region) > 0 || measured(region)),
  );
  const byPreference = possible.sort((a, b) => worst(a) - worst(b) || named(b) - named(a));
  return byPreference[0] ?? null;
}
