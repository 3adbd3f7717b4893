import type { Ticket } from '../src/modules/matchmaking/engine';

/** One ticket that will come, with what the simulation knows of it and the engine does not. */
export interface Arrival {
  /** With `waitingSince` at the moment of its arrival, ms since the epoch. */
  ticket: Ticket;
  /** How well each of its players really plays, on the scale of mu. */
  skills: readonly number[];
  /** They give up after so many ms, whatever the rules would allow. */
  patienceMs: number;
  /** Whether giving up keeps its players away for the rest of the run. */
  leavesForGood: boolean;
}

/** Who comes and when, in order of time. The same for every rule set that is tried on it. */
export interface Source {
  /** In a few words, for the report. */
  title: string;
  /** Facts about it, name by name. */
  facts: readonly (readonly [string, string])[];
  startMs: number;
  /** Tickets that come in [startMs, endMs) are counted; later ones only keep the pools alive until the last of those has ended. */
  endMs: number;
  /** How many tickets are counted. */
  count: number;
  arrivals(): Iterable<Arrival>;
}

/** Ratings this uncertain are those of somebody's first few matches: openskill begins at 25/3. */
const NEWCOMER_SIGMA = 7;

export const isNewcomer = ({ ticket }: Arrival): boolean => ticket.players.some((p) => p.sigma >= NEWCOMER_SIGMA);

export const meanSkill = ({ skills }: Arrival): number => skills.reduce((sum, s) => sum + s, 0) / skills.length;

/** The region that the ticket names first. */
export const homeOf = ({ ticket }: Arrival): string => ticket.regions[0] ?? 'any';
