import { ANY_REGION } from './regions';
import type { Pool } from './pool';
import { assignRoles, type RoleTable } from './roles';
import type { Found } from './search';
import { REGIONS, type Proposal, type Region } from './ticket';

type Seat = { userId: string; role: string | null };

/** A match as the caller reads it. */
export function toProposal(pool: Pool, { members, teams, judgement }: Found): Proposal {
  const { slots, rules } = pool;
  const seats: { userId: string; offer: number }[][] = Array.from({ length: rules.teamCount }, () => []);
  members.forEach((slot, i) => {
    const lobby = slots.lobbies.get(slot);
    slots.usersOf(slot).forEach((userId, p) => {
      const team = lobby ? (lobby.teams[p] ?? 0) : (teams.teamOf[i] as number);
      seats[team]?.push({ userId, offer: rules.roles ? offerAt(pool, rules.roles, slot, p) : 0 });
    });
  });
  return {
    ticketIds: Array.from(members, (slot) => slots.ids[slot] as string),
    teams: seats.map((team) => withRoles(team, rules.roles)),
    region: regionOf(pool, members),
    quality: Math.round(judgement.quality * 1e4) / 1e4,
    chances: judgement.chances,
  };
}

function withRoles(team: { userId: string; offer: number }[], roles: RoleTable | null): Seat[] {
  const assigned = roles && assignRoles(roles, team.map((seat) => seat.offer));
  return team.map(({ userId }, i) => ({ userId, role: assigned?.[i] ?? null }));
}

function offerAt({ slots, classes }: Pool, roles: RoleTable, slot: number, player: number): number {
  const own = slots.offers.get(slot) ?? classes.specs[slots.cls[slot] as number]?.offers;
  return own?.[player] ?? roles.any;
}

/** Of the regions that all accept: the lowest worst latency known, then the one that most tickets name. */
export function regionOf({ slots, classes }: Pool, members: Int32Array): Region | null {
  let common = ANY_REGION;
  let insisting = ANY_REGION;
  const named = REGIONS.map(() => 0);
  const worst = REGIONS.map(() => 0);
  for (const slot of members) {
    const spec = classes.specs[slots.cls[slot] as number];
    if (!spec) continue;
    common &= spec.regions;
    if (spec.needsRegion) insisting &= spec.regions;
    const latencies = slots.latencies.get(slot);
    REGIONS.forEach((region, bit) => {
      if (spec.named & (1 << bit)) named[bit] = (named[bit] ?? 0) + 1;
      if (latencies) worst[bit] = Math.max(worst[bit] ?? 0, latencies[region] ?? Infinity);
    });
  }
  const possible = common !== 0 ? common : insisting;
  const best = REGIONS.map((_, bit) => bit)
    .filter((bit) => possible & (1 << bit) && ((named[bit] ?? 0) > 0 || (worst[bit] ?? 0) > 0))
    .sort((a, b) => (worst[a] ?? 0) - (worst[b] ?? 0) || (named[b] ?? 0) - (named[a] ?? 0))[0];
  return best === undefined ? null : (REGIONS[best] ?? null);
}
