import type { Cast } from './cast';
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
  /** Was away for a moment since the last match. */
  returned: boolean;
}

/** Figures for the live view and the table at the end. */
export interface Tally {
  phase: string;
  registered: number;
  connected: number;
  /** Open tickets, with how many players each is for. */
  searching: Map<string, { hostIndex: number; players: number }>;
  /** Groups that are doing something else than waiting. */
  busy: number;
  playing: number;
  completed: number;
  declined: number;
  /** Tickets and players for whom there were not enough others. */
  remainders: { tickets: number; players: number };
  expired: number;
  reconnected: number;
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
  busy: 0,
  playing: 0,
  completed: 0,
  declined: 0,
  remainders: { tickets: 0, players: 0 },
  expired: 0,
  reconnected: 0,
  waitsMs: [],
  spreads: [],
  linesExpected: 0,
  linesHeard: 0,
  movedAt: Date.now(),
});
