import type { Cast, Group } from './cast';
import type { Inbox } from './inbox';
import type { Ledger } from './ledger';
import type { Player } from './player';

/** What everybody in the demo shares. */
export interface Stage {
  cast: Cast;
  ledger: Ledger;
  tally: Tally;
  rounds: number;
  actors: Actor[];
  strengthOf: (userId: string) => number;
  /** True when nobody begins another search. */
  closing: boolean;
}

/** A player with what they remember. */
export interface Actor {
  player: Player;
  inbox: Inbox;
  /** The open search, once it was answered. */
  ticketId: string | null;
  /** How often the connection was lost, but for those that they dropped themselves. */
  cuts: number;
  /** How often they noticed that facts were missing. */
  gaps: number;
  /** Until they are connected again, and know what they have missed. */
  back: Promise<void> | null;
  /** Until they know what was missing. */
  syncing: Promise<void> | null;
}

/** Figures for the live view and the table at the end. */
export interface Tally {
  phase: string;
  registered: number;
  connected: number;
  /** Open tickets, with how many players each is for. */
  searching: Map<string, { hostIndex: number; players: number }>;
  /** Groups that are doing something else than waiting. */
  busy: Set<Group>;
  playing: number;
  completed: number;
  declined: number;
  /** Tickets and players for whom there were not enough others. */
  remainders: { tickets: number; players: number };
  expired: number;
  reconnected: number;
  /** How often nobody could say what became of something that was asked or said. */
  unanswered: number;
  waitsMs: number[];
  spreads: number[];
  linesExpected: number;
  linesHeard: number;
  /** When something was last matched, proposed or begun: ms since the epoch. */
  movedAt: number;
}

export const createTally = (): Tally => ({
  phase: 'starting',
  registered: 0,
  connected: 0,
  searching: new Map(),
  busy: new Set(),
  playing: 0,
  completed: 0,
  declined: 0,
  remainders: { tickets: 0, players: 0 },
  expired: 0,
  reconnected: 0,
  unanswered: 0,
  waitsMs: [],
  spreads: [],
  linesExpected: 0,
  linesHeard: 0,
  movedAt: Date.now(),
});
