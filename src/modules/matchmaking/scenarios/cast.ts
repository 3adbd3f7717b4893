import type { Player, Ticket } from '../engine';
import type { Scenario, ScenarioTicket } from './scenario.schema';

/** The tickets of a scenario as the engine sees them, by the names that the scenario gives them. */

/** A solo player is called like the ticket; those of a party `name.1`, `name.2`, … */
export function playersOf(name: string, { party, players, mu, sigma, roles }: ScenarioTicket): Player[] {
  const listed = players ?? Array.from({ length: party }, () => ({}));
  return listed.map((player, i) => ({
    userId: listed.length === 1 ? name : `${name}.${i + 1}`,
    mu,
    sigma,
    roles,
    ...player,
  }));
}

/** The pools in which a ticket stands, with its weight there. */
export function poolsOf(ticket: ScenarioTicket, all: Iterable<string>): Map<string, number> {
  if (ticket.games) return new Map(Object.entries(ticket.games));
  return new Map([...all].map((pool) => [pool, ANY_WEIGHT]));
}

/** The weight of a choice that says nothing of it. */
const ANY_WEIGHT = 5;

/** @param startsAt the beginning of the scenario, ms since the epoch */
export function engineTickets(
  name: string,
  scenario: Scenario,
  pools: ReadonlyMap<string, number>,
  startsAt: number,
): Map<string, Ticket> {
  const ticket = scenario.tickets[name] as ScenarioTicket;
  const { arrives, waited, blocks, avoids, seats, groupSize } = ticket;
  const people = (names: readonly string[]) => new Set(names.flatMap((one) => peopleCalled(one, scenario)));
  const shared = {
    id: name,
    players: playersOf(name, ticket),
    waitingSince: startsAt + (arrives - waited) * 1000,
    groupSize,
    regions: ticket.regions,
    regionPreference: ticket.regionPreference,
    languages: ticket.languages,
    languagePreference: ticket.languagePreference,
    skillPreference: ticket.skillPreference,
    latencies: ticket.latencies,
    blocked: people(blocks),
    avoided: people(avoids),
    favourite: Math.max(...pools.values()),
    backfill: seats ?? null,
  };
  return new Map([...pools].map(([pool, weight]) => [pool, { ...shared, weight }]));
}

/** Everybody of the ticket of this name, or the one player. */
function peopleCalled(name: string, scenario: Scenario): string[] {
  const ticket = scenario.tickets[name];
  return ticket ? playersOf(name, ticket).map(({ userId }) => userId) : [name];
}
