/** What the engine is told of a ticket: plain data, so that a tick can be recorded and replayed. Times in ms since the epoch. */
export interface Ticket {
  id: string;
  /** Who stays together; never empty. */
  players: readonly Player[];
  /** Waiting is counted from here; credit moves it back. */
  waitingSince: number;
  /** How many players, this ticket's included, the match may have. */
  groupSize: { min: number; max: number } | null;
  /** None: any region. */
  regions: readonly Region[];
  regionPreference: Preference;
  /** Primary language subtags (`en`, `pt`). None: any language. */
  languages: readonly string[];
  languagePreference: Preference;
  skillPreference: 'similar' | 'any';
  /** Measured round trips in ms by region; where the rules limit latency these count instead of the names of regions. */
  latencies: Readonly<Partial<Record<Region, number>>>;
  /** User ids with whom these players must never meet. */
  blocked: ReadonlySet<string>;
  /** User ids whom these players have met lately, or turned down: met again only after waiting. */
  avoided: ReadonlySet<string>;
  /** 1-10: how much these players want this pool, and the one they want most among those they stand in. */
  weight: number;
  favourite: number;
  /** For an open lobby that seeks more players: the team in which each of its players sits. Null: an ordinary ticket. */
  backfill: readonly number[] | null;
}

export interface Player {
  userId: string;
  /** Weng-Lin rating in this mode, and its uncertainty. */
  mu: number;
  sigma: number;
  /** Roles this player would take; none: any. */
  roles: readonly string[];
}

/** `strict` never yields, `preferred` yields by the rule set's steps, `any` asks for nothing. */
export type Preference = 'strict' | 'preferred' | 'any';

export const REGIONS = ['NA', 'EU', 'AS', 'SA', 'OC', 'AF'] as const;
export type Region = (typeof REGIONS)[number];

/** Tickets that belong together. */
export interface Proposal {
  /** In the order in which they joined: the first is the one that the search began with. */
  ticketIds: string[];
  teams: { userId: string; role: string | null }[][];
  /** Where to play, or null where nobody cares. */
  region: Region | null;
  /** 0..1, see quality.ts. */
  quality: number;
  /** The chance of each team to win, from mu and sigma; null for a co-op group. */
  chances: number[] | null;
}

export interface PoolProposal extends Proposal {
  pool: string;
}
