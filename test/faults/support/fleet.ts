import { setTimeout as delay } from 'node:timers/promises';
import { io, type Socket } from 'socket.io-client';
import { registerPlayer, type Player } from '../../support/client';
import { PACE } from './chance';
import { longest, median } from './verdict';

/**
 * Many connections of few players, as apps keep them: Socket.IO's own client with its own way of coming back. They do nothing but
 * listen, and remember when they were greeted and cut off.
 */
export interface Fleet {
  readonly size: number;
  readonly players: readonly Player[];
  /** How many were told to go for good. */
  readonly dismissed: number;
  /** Connects whoever is not connected; resolves when all have been greeted. */
  connect(): Promise<void>;
  /** Ends every connection in the same moment, and for now. */
  cut(): void;
  /** Resolves when everybody is connected, also those who had to come back. */
  allGreeted(): Promise<void>;
  /** How those came back that were cut off since then: how many, in how long, and the most within a tenth of a second. */
  returned(since: number): { moved: number; busiest: number; backMs: { median: number; longest: number } };
  /** The match that each connection knows of, by the index of its player; null where it knows of none. */
  matches(): { player: number; matchId: string | null }[];
  leave(): void;
}

export interface FleetOptions {
  players: number;
  socketsEach: number;
  /** Where the n-th connection goes; by default all to the same address. */
  urlOf?: (index: number) => string;
}

interface Line {
  player: number;
  socket: Socket;
  greetedAt: number[];
  lostAt: number[];
  matchId: string | null;
}

const AT_ONCE = 16;
const PATIENCE_MS = 120_000 * PACE;
const CLOSE_TOGETHER_MS = 100;

const gathered: Fleet[] = [];
afterAll(() => gathered.splice(0).forEach((fleet) => fleet.leave()));

export async function gatherFleet(
  url: string,
  { players: count, socketsEach, urlOf = () => url }: FleetOptions,
): Promise<Fleet> {
  const players: Player[] = [];
  while (players.length < count)
    players.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, count - players.length) }, () => registerPlayer({ url })),
      )),
    );
  let dismissed = 0;

  const lines = Array.from({ length: count * socketsEach }, (_, i): Line => {
    const player = i % count;
    const socket = io(urlOf(i), {
      auth: { token: players[player]?.accessToken },
      transports: ['websocket'],
      forceNew: true,
      autoConnect: false,
      timeout: PATIENCE_MS,
    });
    const line: Line = { player, socket, greetedAt: [], lostAt: [], matchId: null };
    socket.on('connected', ({ match }: { match: { id: string } | null }) => {
      line.greetedAt.push(Date.now());
      line.matchId = match?.id ?? line.matchId;
    });
    socket.on('matchmaking:matched', ({ matchId }: { matchId: string }) => void (line.matchId = matchId));
    socket.on('disconnect', (reason) => {
      line.lostAt.push(Date.now());
      if (reason === 'io server disconnect') dismissed += 1;
    });
    return line;
  });

  const isGreeted = ({ greetedAt, lostAt }: Line) => (greetedAt.at(-1) ?? -1) > (lostAt.at(-1) ?? -1);
  const allGreeted = async () => {
    for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await delay(20))
      if (lines.every(isGreeted)) return;
    throw new Error(`${lines.filter((line) => !isGreeted(line)).length} of ${lines.length} were not greeted`);
  };

  const fleet: Fleet = {
    size: lines.length,
    players,
    get dismissed() {
      return dismissed;
    },
    async connect() {
      for (const { socket } of lines) if (!socket.connected) socket.connect();
      await allGreeted();
    },
    cut() {
      for (const line of lines) {
        line.matchId = null;
        line.socket.disconnect();
        line.lostAt.push(Date.now());
      }
    },
    allGreeted,
    returned(since) {
      const back = lines
        .filter(({ lostAt }) => lostAt.some((at) => at >= since))
        .map(({ greetedAt }) => greetedAt.at(-1) ?? 0);
      const sorted = back.sort((a, b) => a - b);
      const within = sorted.map((at, i) => sorted.findLastIndex((later) => later < at + CLOSE_TOGETHER_MS) - i + 1);
      return {
        moved: sorted.length,
        busiest: Math.max(0, ...within),
        backMs: { median: median(sorted) - since, longest: longest(sorted) - since },
      };
    },
    matches: () => lines.map(({ player, matchId }) => ({ player, matchId })),
    leave() {
      for (const { socket } of lines) socket.removeAllListeners().disconnect();
    },
  };
  gathered.push(fleet);
  return fleet;
}
