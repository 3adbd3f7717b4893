import type { RuleSet } from '../../games';
import { compatible } from './compatibility';
import { assignRoles } from './roles';
import { ANY_REGION, type Seeker } from './seeker';
import { partiesFit } from './teams';

/** Tickets that might become a match: what they accept together. Immutable; `joined` makes the next one. */
export interface Group {
  members: readonly Seeker[];
  players: number;
  lowest: number;
  highest: number;
  spreadLimit: number;
  teamGapLimit: number;
  minPlayers: number;
  maxPlayers: number;
  /** Where all who insist on a region can play. */
  regions: number;
  /** What all who insist on a language speak; null while nobody does. */
  languages: readonly string[] | null;
  longestWaitMs: number;
}

export function groupOf(seeker: Seeker): Group {
  return {
    members: [seeker],
    players: seeker.size,
    lowest: seeker.rating,
    highest: seeker.rating,
    spreadLimit: seeker.spreadLimit,
    teamGapLimit: seeker.teamGapLimit,
    minPlayers: seeker.minPlayers,
    maxPlayers: seeker.maxPlayers,
    regions: seeker.needsRegion ? seeker.regions : ANY_REGION,
    languages: seeker.needsLanguage ? seeker.languages : null,
    longestWaitMs: seeker.waitedMs,
  };
}

/** The group with one more ticket, or null where some member, or the newcomer, would have to accept what it did not ask for. */
export function joined(group: Group, seeker: Seeker, rules: RuleSet): Group | null {
  const players = group.players + seeker.size;
  const maxPlayers = Math.min(group.maxPlayers, seeker.maxPlayers);
  const minPlayers = Math.max(group.minPlayers, seeker.minPlayers);
  if (players > maxPlayers || minPlayers > maxPlayers) return null;
  const lowest = Math.min(group.lowest, seeker.rating);
  const highest = Math.max(group.highest, seeker.rating);
  const spreadLimit = Math.min(group.spreadLimit, seeker.spreadLimit);
  if (highest - lowest > spreadLimit) return null;
  const regions = seeker.needsRegion ? group.regions & seeker.regions : group.regions;
  if (regions === 0) return null;
  const languages = seeker.needsLanguage ? common(group.languages, seeker.languages) : group.languages;
  if (languages?.length === 0) return null;
  if (!group.members.every((member) => compatible(member, seeker))) return null;
  const members = [...group.members, seeker];
  if (!seatable(members, rules)) return null;
  return {
    members,
    players,
    lowest,
    highest,
    spreadLimit,
    teamGapLimit: Math.min(group.teamGapLimit, seeker.teamGapLimit),
    minPlayers,
    maxPlayers,
    regions,
    languages,
    longestWaitMs: Math.max(group.longestWaitMs, seeker.waitedMs),
  };
}

/** The most players this group may have: the wishes of its members, and equal sizes where two teams play. */
export const capacityOf = (group: Group, rules: RuleSet): number =>
  rules.teams.count === 2 ? group.maxPlayers - (group.maxPlayers % 2) : group.maxPlayers;

/** The fewest players with which it may begin now: the fill target while it holds out, the minimum afterwards. */
export function neededNow(group: Group, rules: RuleSet): number {
  const { hold } = rules;
  const holding = hold !== null && group.longestWaitMs < hold.holdSeconds * 1000;
  return holding ? Math.max(group.minPlayers, Math.min(hold.fillTarget, capacityOf(group, rules))) : group.minPlayers;
}

const common = (a: readonly string[] | null, b: readonly string[]): readonly string[] =>
  a === null ? b : a.filter((language) => b.includes(language));

/** Whether the parties can sit in teams and everybody can have a role: necessary at every size. */
function seatable(members: readonly Seeker[], rules: RuleSet): boolean {
  const { count, size } = rules.teams;
  if (members.some((m) => m.size > 1)) {
    const sizes = members.map((member) => member.size);
    if (!partiesFit(sizes, count, size.max)) return false;
  }
  const players = () => members.flatMap((member) => member.ticket.players);
  return rules.roles === null || assignRoles(players(), rules.roles, count) !== null;
}
