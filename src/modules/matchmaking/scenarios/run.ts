import { AppError } from '../../../core/errors';
import { Engine, type Explanation, type PoolProposal } from '../engine';
import { requirePossible } from '../matchmaking.policy';
import { engineTickets, playersOf, poolsOf } from './cast';
import { ONLY_POOL, type LoadedScenario } from './load';
import type { ExpectedMatch, ExpectedWait, Moment, ScenarioTicket } from './scenario.schema';

/** What differs from what a scenario expects at one of its moments. */
export interface Difference {
  /** Seconds since the beginning. */
  at: number;
  expected: string;
  got: string;
  /** Why those wait whom this concerns, by the engine's own explanation. */
  waiting: Waiting[];
}

/** A ticket that waits, times in seconds. */
export interface Waiting {
  ticket: string;
  pool: string;
  waited: number;
  /** When waiting changes something next. */
  until: number | null;
  explanation: Explanation;
}

const START = Date.UTC(2026, 0, 1);
const SEED = 1;

/**
 * Runs a scenario: the real engine on a clock of its own, one pass at each moment of `expect`. Tickets queue when they arrive,
 * those of a match are gone.
 * @returns nothing where all is as expected
 */
export function runScenario(scenario: LoadedScenario): Difference[] {
  const engine = new Engine(SEED);
  for (const [pool, ruleSet] of scenario.ruleSets) engine.setPool(pool, ruleSet);
  const differences: Difference[] = refusals(scenario);
  const toCome = Object.entries(scenario.tickets)
    .filter(([name]) => refusalOf(name, scenario) === null)
    .sort(([, a], [, b]) => a.arrives - b.arrives);
  for (const moment of scenario.expect) {
    while ((toCome[0]?.[1].arrives ?? Infinity) <= moment.at) {
      const [name, ticket] = toCome.shift() as [string, ScenarioTicket];
      const pools = poolsOf(ticket, scenario.ruleSets.keys());
      for (const [pool, row] of engineTickets(name, scenario, pools, START)) engine.add(pool, row);
    }
    differences.push(...atMoment(engine, scenario, moment));
  }
  return differences;
}

function atMoment(engine: Engine, scenario: LoadedScenario, moment: Moment): Difference[] {
  const now = START + moment.at * 1000;
  const made: PoolProposal[] = [];
  for (const proposal of engine.pass(now)) if (proposal) made.push(proposal);
  for (const { ticketIds } of made) for (const id of ticketIds) engine.remove(id);

  const explain = (names: readonly string[]): Waiting[] =>
    names.flatMap((ticket) => {
      const row = scenario.tickets[ticket];
      const pool = row && firstPool(row, scenario);
      const explanation = pool === undefined ? null : engine.explain(pool, ticket, now);
      if (!row || pool === undefined || !explanation) return [];
      return [{ ticket, pool, waited: moment.at - row.arrives + row.waited, until: untilOf(explanation), explanation }];
    });
  const differences: Difference[] = [];
  const differs = (expected: string, got: string, waiting: readonly string[] = []) =>
    differences.push({ at: moment.at, expected, got, waiting: explain(waiting) });

  const left = new Map(made.map((proposal) => [setOf(proposal.ticketIds), proposal]));
  for (const expected of moment.matches) {
    const key = setOf(expected.tickets);
    const proposal = left.get(key);
    left.delete(key);
    if (!proposal) differs(`a match of ${together(expected.tickets)}`, instead(expected, made), expected.tickets);
    else for (const [wanted, got] of misfits(expected, proposal)) differs(wanted, got);
  }
  for (const { ticketIds } of left.values()) differs('no such match', `a match of ${together(ticketIds)}`);
  for (const [ticket, expected] of Object.entries(moment.waits))
    for (const [wanted, got] of waitMisfits(ticket, expected, engine, scenario, now)) differs(wanted, got, [ticket]);
  return differences;
}

const firstPool = (ticket: ScenarioTicket, { ruleSets }: LoadedScenario): string | undefined =>
  [...poolsOf(ticket, ruleSets.keys()).keys()][0];

function untilOf({ opensAt, nextExpansion }: Explanation): number | null {
  const next = opensAt ?? nextExpansion?.at ?? null;
  return next === null ? null : (next - START) / 1000;
}

const setOf = (names: readonly string[]): string => JSON.stringify([...names].sort());
const together = (names: readonly string[]): string => [...names].sort().join(' + ');

/** What became of the tickets of a match that was not made. */
function instead({ tickets }: ExpectedMatch, made: readonly PoolProposal[]): string {
  const others = made.filter(({ ticketIds }) => ticketIds.some((id) => tickets.includes(id)));
  return others.length === 0 ? 'no match of any of them' : others.map((one) => together(one.ticketIds)).join('; ');
}

type Misfit = [expected: string, got: string];

function misfits(expected: ExpectedMatch, proposal: PoolProposal): Misfit[] {
  const found: Misfit[] = [];
  const match = together(expected.tickets);
  const compare = (what: string, wanted: string, got: string) => {
    if (wanted !== got) found.push([`${match}: ${what} ${wanted}`, `${what} ${got}`]);
  };
  if (expected.pool !== undefined) compare('pool', expected.pool, proposal.pool);
  if (expected.region !== undefined) compare('region', String(expected.region), String(proposal.region));
  if (expected.teams) {
    const line = (teams: readonly (readonly string[])[]) => teams.map(together).sort().join(' against ');
    compare('teams', line(expected.teams), line(proposal.teams.map((team) => team.map((seat) => seat.userId))));
  }
  const roles = new Map(proposal.teams.flat().map((seat) => [seat.userId, seat.role]));
  for (const [player, role] of Object.entries(expected.roles ?? {}))
    compare(`role of ${player}`, role, String(roles.get(player) ?? null));
  const { min, max } = expected.quality ?? { min: 0, max: 1 };
  if (proposal.quality < min || proposal.quality > max)
    found.push([`${match}: quality from ${min} to ${max}`, `quality ${proposal.quality}`]);
  return found;
}

function waitMisfits(
  ticket: string,
  expected: ExpectedWait,
  engine: Engine,
  scenario: LoadedScenario,
  now: number,
): Misfit[] {
  const row = scenario.tickets[ticket] as ScenarioTicket;
  const pool = expected.pool ?? firstPool(row, scenario) ?? '';
  const seen = engine.explain(pool, ticket, now);
  if (!seen) return [[`${ticket} waits in ${pool}`, 'it does not']];
  const found: Misfit[] = [];
  const compare = <T extends string | number | null>(what: string, wanted: T | undefined, got: T) => {
    if (wanted !== undefined && String(wanted) !== String(got))
      found.push([`${ticket} waits: ${what} ${String(wanted)}`, `${what} ${String(got)}`]);
  };
  const because = Object.entries(seen.excludedBy).flatMap(([rule, count]) => (count > 0 ? [rule] : []));
  compare('because of', expected.because && reasons(expected.because), reasons(because));
  compare('compatible', expected.compatible, seen.compatible);
  compare('until', expected.until, untilOf(seen));
  return found;
}

const reasons = (rules: readonly string[]): string => [...rules].sort().join(', ') || 'nothing';

/** Why the ticket is not let into the queue, or null. */
function refusalOf(name: string, { tickets, ruleSets }: LoadedScenario): string | null {
  const ticket = tickets[name] as ScenarioTicket;
  const modes = [...poolsOf(ticket, ruleSets.keys()).keys()].map((pool) => ({
    ...(pool === ONLY_POOL ? { gameName: 'this', name: 'mode' } : { gameName: 'pool', name: pool }),
    ruleSet: ruleSets.get(pool)!,
  }));
  // a lobby has been let in before it opened
  if (ticket.seats) return null;
  const players = playersOf(name, ticket);
  try {
    requirePossible(modes, { partySize: players.length, groupSize: ticket.groupSize, roles: ticket.roles });
    return null;
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
}

function refusals(scenario: LoadedScenario): Difference[] {
  return Object.keys(scenario.tickets).flatMap((name) => {
    const expected = scenario.refused[name];
    const got = refusalOf(name, scenario);
    if (expected === undefined ? got === null : got?.includes(expected)) return [];
    return [
      {
        at: 0,
        expected: expected === undefined ? `${name} is let in` : `${name} is refused: … ${expected} …`,
        got: got === null ? 'it is let in' : `it is refused: ${got}`,
        waiting: [],
      },
    ];
  });
}
