import { Needs, type ClassSpec } from './classes';
import { ANY_REGION } from './regions';
import type { Pool } from './pool';
import { assignRoles, type RoleTable } from './roles';
import type { Found } from './found';
import { REGIONS, type PoolProposal, type Region } from './ticket';

type Seat = { userId: string; role: string | null };

/** A match as the caller reads it. */
export function toProposal(pool: Pool, found: Found, key: string): PoolProposal {
  const { members, judgement } = found;
  return {
    pool: key,
    ticketIds: members.map((slot) => pool.slots.ids[slot] as string),
    teams: teamsOf(pool, found),
    region: regionOf(pool, members),
    quality: Math.round(judgement.quality * 1e4) / 1e4,
    chances: judgement.chances,
  };
}

function teamsOf(pool: Pool, { members, teams: { teamOf } }: Found): Seat[][] {
  const { slots, rules } = pool;
  const { roles } = rules;
  const teams = Array.from({ length: rules.teamCount }, (): Seat[] => []);
  const offers = roles ? teams.map((): number[] => []) : [];
  for (let i = 0; i < members.length; i++) {
    const slot = members[i] as number;
    const lobby = teamOf[i] === -1 ? slots.lobbies.get(slot) : undefined;
    if (slots.size[slot] === 1 && !lobby && !roles) {
      // most are alone
      teams[teamOf[i] ?? 0]?.push({ userId: slots.users[slot] as string, role: null });
      continue;
    }
    const users = slots.usersOf(slot);
    for (let p = 0; p < users.length; p++) {
      const team = lobby ? (lobby.teams[p] ?? 0) : (teamOf[i] ?? 0);
      teams[team]?.push({ userId: users[p] as string, role: null });
      if (roles) offers[team]?.push(offerAt(pool, roles, slot, p));
    }
  }
  if (roles)
    teams.forEach((seats, team) => {
      const assigned = assignRoles(roles, offers[team] ?? []);
      seats.forEach((seat, i) => (seat.role = assigned?.[i] ?? null));
    });
  return teams;
}

function offerAt({ slots, classes }: Pool, roles: RoleTable, slot: number, player: number): number {
  const own = slots.offers.get(slot) ?? classes.specs[slots.cls[slot] as number]?.offers;
  return own?.[player] ?? roles.any;
}

/** Of the regions that all accept: the lowest worst latency known, then the one that most tickets name. */
export function regionOf({ slots, classes }: Pool, members: readonly number[]): Region | null {
  let common = ANY_REGION;
  let insisting = ANY_REGION;
  for (const slot of members) {
    const cls = slots.cls[slot] as number;
    common &= classes.regions[cls] as number;
    if ((classes.needs[cls] as number) & Needs.region) insisting &= classes.regions[cls] as number;
  }
  const possible = common !== 0 ? common : insisting;
  let best: Region | null = null;
  let bestWorst = Infinity;
  let bestNamed = 0;
  for (let bit = 0; bit < REGIONS.length; bit++) {
    if ((possible & (1 << bit)) === 0) continue;
    const region = REGIONS[bit] as Region;
    let named = 0;
    let worst = 0;
    for (const slot of members) {
      if (((classes.specs[slots.cls[slot] as number] as ClassSpec).named & (1 << bit)) !== 0) named += 1;
      const latencies = slots.latenciesOf(slot);
      if (latencies) worst = Math.max(worst, latencies[region] ?? Infinity);
    }
    if (named === 0 && worst === 0) continue;
    if (best !== null && (worst > bestWorst || (worst === bestWorst && named <= bestNamed))) continue;
    best = region;
    bestWorst = worst;
    bestNamed = named;
  }
  return best;
}
