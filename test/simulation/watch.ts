import { leaseOf } from '../../src/modules/matchmaking/leadership';
import { poolKey } from '../../src/modules/matchmaking/matchmaking.policy';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import {
  cancelledIsCancelled,
  ENDED,
  everybodySuits,
  everyTicketEndsOnce,
  nobodyInTwoLiveMatches,
  oneLobbyEach,
  oneOpenTicketEach,
  suits,
} from '../properties/promises';
import type { InProcessDatabase } from './database';
import type { Ledger } from './players';
import type { Process } from './gate';

/** I1 to I6, after every command that may have changed something, and at the end. Throws where one does not hold. */
export interface Watch {
  readonly matches: number;
  /** Of those, how many had friends in them who searched together. */
  readonly matchesOfParties: number;
  /** @param by who has just written */
  check(by: Process & { id: string }): Promise<void>;
  /** Whether every search has ended and everything has been told. */
  isOver(): Promise<boolean>;
  checkEnd(): Promise<void>;
  /** While nothing fails and everything has ticked: no two still search in a duel who asked for each other. */
  checkNobodyForgotten(): Promise<void>;
}

export function createWatch({ read }: InProcessDatabase, ledger: Ledger, told: ReadonlySet<string>): Watch {
  const ends = new Map<string, string>();
  const seen = new Set<string>();
  let ofParties = 0;
  const begun = new Set<string>();
  const begunInMatch = new Set<string>();

  const readAll = async () => {
    const [tickets, matches, lobbies] = await Promise.all([
      read<TicketRow>('tickets'),
      read<MatchRow>('matches'),
      read<object>('lobbies', { origin: 'match' }),
    ]);
    return { tickets, matches, lobbies, formed: matches.filter((match) => match.formedAt !== null) };
  };

  /** Whoever commits a proposal leads its pool, or has just given it back. */
  const fenced = async (fresh: readonly MatchRow[], by: { id: string; name: string }) => {
    for (const { _id, gameId, mode } of fresh) {
      const lease = leaseOf(poolKey(String(gameId), mode));
      const [row] = await read<{ owner: string | null }>('leases', { _id: lease });
      if (row?.owner !== null && row?.owner !== by.id)
        throw new Error(`fence: ${by.name} committed match ${String(_id)} and does not hold ${lease}`);
    }
  };

  /** Nobody is told that they search while they are in a match. One that was over before they were told does not count. */
  const searchOrPlay = ({ tickets, matches }: { tickets: readonly TicketRow[]; matches: readonly MatchRow[] }) => {
    const playing = new Set(matches.flatMap((match) => match.livePlayers.map(String)));
    for (const { _id, players, backfill } of tickets) {
      const id = String(_id);
      const plays = backfill === null && players.some((player) => playing.has(String(player)));
      if (!begun.has(id) && plays) begunInMatch.add(id);
      begun.add(id);
      if (!plays) begunInMatch.delete(id);
      if (begunInMatch.has(id) && ledger.promised.has(id))
        throw new Error(`I1: ticket ${id} was promised to somebody who was in a live match`);
    }
  };

  return {
    get matches() {
      return seen.size;
    },
    get matchesOfParties() {
      return ofParties;
    },
    async check(by) {
      const { tickets, matches, lobbies, formed } = await readAll();
      const byId = new Map(tickets.map((row) => [String(row._id), row]));
      nobodyInTwoLiveMatches(matches);
      searchOrPlay({ tickets, matches });
      everyTicketEndsOnce(tickets, ends, ledger.promised);
      oneOpenTicketEach(tickets);
      oneLobbyEach(formed, lobbies);
      cancelledIsCancelled(ledger.cancelled, byId, formed);
      const fresh = matches.filter((match) => !seen.has(String(match._id)));
      for (const match of fresh) {
        seen.add(String(match._id));
        const members = match.tickets.map(({ ticketId }) => byId.get(String(ticketId)) as TicketRow);
        if (members.some(({ players }) => players.length > 1)) ofParties += 1;
        // one that was answered later came too late for this match
        const before = [...ledger.blocks].filter(([, at]) => at < match.createdAt.getTime() - CLOCKS_DIFFER_MS);
        everybodySuits(match, members, new Set(before.map(([pair]) => pair)));
      }
      await fenced(fresh, by);
    },
    async isOver() {
      const waiting = [await read('tickets', { open: true }), await read('outbox', { deliveredAt: null })];
      return waiting.flat().length === 0;
    },
    async checkNobodyForgotten() {
      const { tickets } = await readAll();
      const waiting = tickets.filter((row) => row.state === 'queued' && row.games.some(({ mode }) => mode === 'duel'));
      const blocks = new Set(ledger.blocks.keys());
      for (const [i, one] of waiting.entries())
        for (const other of waiting.slice(i + 1))
          if (suits(one, other, Date.now(), blocks) && suits(other, one, Date.now(), blocks))
            throw new Error(`I2: ${String(one._id)} and ${String(other._id)} wait, and asked for each other`);
    },
    async checkEnd() {
      const { tickets, formed } = await readAll();
      const open = tickets.filter((row) => !ENDED.includes(row.state));
      if (open.length > 0)
        throw new Error(`I2: ${open.length} tickets never end: ${open.map((row) => row.state).join()}`);
      const untold = await read('outbox', { deliveredAt: null });
      if (untold.length > 0) throw new Error(`I5: ${untold.length} facts are never told`);
      for (const { _id, players } of formed)
        for (const player of players)
          if (!told.has(`${String(_id)} ${String(player)}`))
            throw new Error(`I5: ${String(player)} was never told of match ${String(_id)}`);
    },
  };
}

const CLOCKS_DIFFER_MS = 60;
