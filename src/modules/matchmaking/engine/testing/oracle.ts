import type { RuleSet, Widening } from '../../../games/rule-set';
import { REGIONS, type Proposal, type Region, type Ticket } from '../ticket';

/**
 * The rules of matching once more, read straight from tickets and written for clarity instead of speed: what the engine's
 * answers are checked against. Nothing here is shared with the engine.
 */

const NEARBY: Record<Region, Region[]> = {
  NA: ['SA', 'EU'],
  EU: ['AF', 'NA'],
  AS: ['OC'],
  SA: ['NA'],
  OC: ['AS'],
  AF: ['EU'],
};

const waitedSeconds = (ticket: Ticket, now: number) => Math.max(0, (now - ticket.waitingSince) / 1000);
const reached = (seconds: number | null, waited: number) => seconds !== null && waited >= seconds;

function limit({ value, steps, interpolate }: Widening, waited: number): number {
  const points = [{ afterSeconds: 0, value }, ...steps];
  const at = points.filter((point) => point.afterSeconds <= waited).length - 1;
  const [here, next] = [points[at]!, points[at + 1]];
  if (!interpolate || !next) return here.value;
  const share = (waited - here.afterSeconds) / (next.afterSeconds - here.afterSeconds);
  return here.value + share * (next.value - here.value);
}

export const ratingOf = (ticket: Ticket) =>
  ticket.players.reduce((sum, player) => sum + player.mu, 0) / ticket.players.length;

export function spreadLimitOf(ticket: Ticket, rules: RuleSet, now: number): number {
  if (!rules.skill.maxSpread || ticket.skillPreference === 'any') return Infinity;
  const sigma = Math.sqrt(ticket.players.reduce((sum, p) => sum + p.sigma ** 2, 0) / ticket.players.length);
  const room = rules.skill.uncertainty * Math.max(0, sigma - 25 / 6);
  return limit(rules.skill.maxSpread, waitedSeconds(ticket, now)) + room;
}

export const gapLimitOf = (ticket: Ticket, rules: RuleSet, now: number): number =>
  rules.skill.maxTeamGap && ticket.skillPreference === 'similar'
    ? limit(rules.skill.maxTeamGap, waitedSeconds(ticket, now))
    : Infinity;

/** Where the ticket plays, and whether it insists. */
function regionsOf(ticket: Ticket, rules: RuleSet, now: number): { regions: Set<Region>; insists: boolean } {
  const waited = waitedSeconds(ticket, now);
  if (rules.latency && Object.keys(ticket.latencies).length > 0) {
    const most = limit(rules.latency.maxMs, waited);
    const near = REGIONS.filter((region) => (ticket.latencies[region] ?? Infinity) <= most);
    const strict = ticket.regionPreference === 'strict' && ticket.regions.length > 0;
    return { regions: new Set(near.filter((r) => !strict || ticket.regions.includes(r))), insists: true };
  }
  if (ticket.regions.length === 0) return { regions: new Set(REGIONS), insists: false };
  const prefers = ticket.regionPreference === 'preferred';
  const near =
    prefers && reached(rules.regions.nearbyAfterSeconds, waited) ? ticket.regions.flatMap((r) => NEARBY[r]) : [];
  const yields = prefers && reached(rules.regions.relaxAfterSeconds, waited);
  return {
    regions: new Set([...ticket.regions, ...near]),
    insists: ticket.regionPreference !== 'any' && !yields,
  };
}

function languagesOf(ticket: Ticket, rules: RuleSet, now: number): { languages: string[] | null; insists: boolean } {
  if (ticket.languages.length === 0) return { languages: null, insists: false };
  const yields =
    ticket.languagePreference === 'preferred' && reached(rules.languages.relaxAfterSeconds, waitedSeconds(ticket, now));
  return { languages: [...ticket.languages], insists: ticket.languagePreference !== 'any' && !yields };
}

/** Every rule that this set of tickets would break as one match, whatever the teams; empty where it breaks none. */
export function broken(tickets: readonly Ticket[], rules: RuleSet, now: number): string[] {
  const faults: string[] = [];
  const { count, size } = rules.teams;
  const total = tickets.reduce((sum, ticket) => sum + ticket.players.length, 0);
  if (total < count * size.min || total > count * size.max) faults.push('numbers');
  for (const ticket of tickets) {
    if (ticket.groupSize && (total < ticket.groupSize.min || total > ticket.groupSize.max)) faults.push('group size');
    if (!ticket.backfill && ticket.players.length > size.max) faults.push('party too big');
  }
  const ratings = tickets.map(ratingOf);
  const limits = tickets.map((ticket) => spreadLimitOf(ticket, rules, now));
  const allowed = rules.skill.mutual === 'widest' ? Math.max(...limits) : Math.min(...limits);
  if (Math.max(...ratings) - Math.min(...ratings) > allowed) faults.push('spread');

  const places = tickets.map((ticket) => regionsOf(ticket, rules, now));
  if (places.some((p) => p.insists) && !REGIONS.some((region) => places.every((p) => p.regions.has(region))))
    faults.push('region');
  const speech = tickets.map((ticket) => languagesOf(ticket, rules, now));
  const spoken = new Set(speech.flatMap((s) => s.languages ?? []));
  if (
    speech.some((s) => s.insists) &&
    ![...spoken].some((language) => speech.every((s) => s.languages === null || s.languages.includes(language)))
  )
    faults.push('language');

  const avoidFor = rules.avoid.recentSeconds > 0 ? rules.avoid.relaxAfterSeconds : 0;
  for (const a of tickets)
    for (const b of tickets) {
      if (a === b) continue;
      if (b.players.some((player) => a.blocked.has(player.userId))) faults.push('blocked');
      const patient = Math.min(waitedSeconds(a, now), waitedSeconds(b, now)) < avoidFor;
      if (patient && b.players.some((player) => a.avoided.has(player.userId))) faults.push('recent');
    }
  if (tickets.filter((ticket) => ticket.backfill).length > 1) faults.push('two lobbies');
  const longest = Math.max(...tickets.map((ticket) => waitedSeconds(ticket, now)));
  if (rules.hold && longest < rules.hold.holdSeconds && !tickets.some((ticket) => ticket.backfill)) {
    const most = Math.min(count * size.max, ...tickets.map((ticket) => ticket.groupSize?.max ?? Infinity));
    if (total < Math.min(rules.hold.fillTarget, most)) faults.push('held');
  }
  return faults;
}

/** What is wrong with a proposal as it stands: seats, teams, roles, gap; empty where nothing is. */
export function misshapen(proposal: Proposal, tickets: readonly Ticket[], rules: RuleSet, now: number): string[] {
  const faults: string[] = [];
  const { teams } = proposal;
  const { count, size } = rules.teams;
  const seated = teams.flat().map((member) => member.userId);
  const players = tickets.flatMap((ticket) => ticket.players);
  if (
    [...seated].sort().join() !==
    players
      .map((p) => p.userId)
      .sort()
      .join()
  )
    faults.push('seats');
  if (teams.length !== count) faults.push('team count');
  if (teams.some((team) => team.length < size.min || team.length > size.max)) faults.push('team size');
  if (count === 2 && teams[0]?.length !== teams[1]?.length) faults.push('uneven');
  for (const ticket of tickets) {
    const sides = ticket.players.map((p) => teams.findIndex((team) => team.some((m) => m.userId === p.userId)));
    if (ticket.backfill ? sides.some((side, i) => side !== ticket.backfill?.[i]) : new Set(sides).size > 1)
      faults.push('party split');
  }
  const muOf = new Map(
    tickets.flatMap((t) => t.players.map((p) => [p.userId, t.backfill ? p.mu : ratingOf(t)] as const)),
  );
  const means = teams.map((team) => team.reduce((sum, m) => sum + (muOf.get(m.userId) ?? 0), 0) / team.length);
  const gaps = tickets.map((ticket) => gapLimitOf(ticket, rules, now));
  const allowed = rules.skill.mutual === 'widest' ? Math.max(...gaps) : Math.min(...gaps);
  if (Math.max(...means) - Math.min(...means) > allowed + 1e-9) faults.push('gap');
  if (rules.roles)
    for (const team of teams) {
      const counts = new Map<string, number>();
      for (const { userId, role } of team) {
        const offered = players.find((player) => player.userId === userId)?.roles ?? [];
        if (role === null || (offered.length > 0 && !offered.includes(role))) faults.push('role');
        counts.set(role ?? '', (counts.get(role ?? '') ?? 0) + 1);
      }
      for (const [role, n] of counts) if (n > (rules.roles[role] ?? 0)) faults.push('too many of a role');
    }
  if (proposal.quality < 0 || proposal.quality > 1) faults.push('quality');
  return faults;
}
