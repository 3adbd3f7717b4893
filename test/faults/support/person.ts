import { setTimeout as delay } from 'node:timers/promises';
import { Types } from 'mongoose';
import type { End, Ledger } from '../../../demo/ledger';
import { registerPlayer, type Heard, type Snapshot } from '../../../demo/player';
import type { Answer, Rest } from '../../../demo/rest';
import { PACE } from './chance';
import type { Figures } from './figures';
import type { World } from './world';

/** How long somebody goes on asking for what the contract promises. */
export const PATIENCE_MS = 60_000 * PACE;
const WISHES = { regions: [], regionPreference: 'any', languages: [], languagePreference: 'any' } as const;
/** Whether the others have reported, too. */
const LOOK_AGAIN_MS = 250;
const ASK_AFTER_MS = 15_000 * PACE;
/** What patience is measured with: a machine that was put to sleep, and whose wall clock then leaps, does not use it up. */
const now = () => performance.now();

/** Where somebody plays, and what all of them share. */
export interface Scene {
  world: World;
  rest: Rest;
  ledger: Ledger;
  figures: Figures;
  gameId: string;
  over: boolean;
  gone: boolean;
  told: () => void;
  /** How often somebody was told of a match. */
  matched: number;
  /** Who has waited while others were told so often has been forgotten: whoever came first goes first. */
  mostPassedOver: number;
  /** How long somebody searches before they cancel, ms; none: until they are told. */
  patienceMs: (() => number) | undefined;
  /** What each player is about, in words. */
  doing: Map<string, () => string>;
}

export interface Person {
  live(): Promise<void>;
  leave(): void;
}

/**
 * One of a crowd: does what the contract asks of a client (waits and asks again after 502 and 503, looks whether it was done where no
 * answer came, connects again, syncs where a fact is missing), and keeps the books of what was promised and told.
 */
export async function arrive(scene: Scene, name: string): Promise<Person> {
  const { world, rest, ledger, figures } = scene;
  const player = await registerPlayer(rest, world.url, name);
  const { userId } = player;
  let searching: string | null = null;
  /** What this player is about, and the request that they wait for, since when. */
  let doing = { what: 'nothing yet', since: now() };
  let asking: { what: string; since: number } | null = null;
  const does = (what: string) => void (doing = { what, since: now() });
  const lasting = ({ what, since }: typeof doing) => `${what} for ${Math.round(now() - since)} ms`;
  scene.doing.set(
    userId,
    () =>
      `${name}: ${lasting(doing)}${asking ? `, ${lasting(asking)}` : ''}${lostAt === null ? '' : ', not connected'}`,
  );
  /** Whether the answer to a search was ever lost. */
  let unsure = false;
  /** Tickets whose end this player knows. */
  const done = new Set<string>();
  let seq = 0;
  /** What a connection began with, or that something was missed, while the answer to a search was still on its way. */
  let unread: Partial<Snapshot> | null = null;

  /** Until there is an answer that decides something. */
  const ask = async (method: string, path: string, body?: object): Promise<Answer & { doubtful: boolean }> => {
    let doubtful = false;
    for (const until = now() + PATIENCE_MS; ;) {
      asking = { what: `${method} ${path}`, since: now() };
      const answer = await player.call(method, path, body).catch(() => undefined);
      asking = null;
      if (answer && answer.status === 500)
        figures.failed.push({ request: `${method} ${path}`, requestId: answer.body?.requestId });
      if (answer && ![500, 502, 503].includes(answer.status)) return { ...answer, doubtful };
      if (scene.gone || now() > until)
        throw new Error(`${method} ${path}: no answer in ${PATIENCE_MS} ms, at last ${answer?.status ?? 'none'}`);
      doubtful = true;
      figures.repeated += 1;
      await delay(100 + Math.random() * 200);
    }
  };

  /** A ticket that was made although its answer did not arrive. */
  const adopt = (ticketId: string) => {
    if (ledger.tickets.has(ticketId)) return;
    ledger.promised({
      ticketId,
      userIds: [userId],
      wishes: { ...WISHES, games: [], regions: [], languages: [] },
      at: Date.now(),
    });
    figures.tickets += 1;
  };

  const hear = ({ name: event, payload }: Heard) => {
    const { seq: number, ...fact } = payload as { seq?: number; ticketId?: string };
    if (event === 'matchmaking:matched') {
      adopt(fact.ticketId ?? '');
      scene.matched += 1;
      scene.told();
    }
    ledger.heard(userId, { name: event, payload: fact });
    if (event === 'connected' || typeof number !== 'number') return;
    const missing = number > seq + 1;
    seq = Math.max(seq, number);
    if (missing) void catchUp().catch(() => undefined);
  };

  /** What was missed: the end of the search, if it has ended. A match is in the snapshot; for whatever else one has to ask. */
  const catchUp = async (snapshot?: Partial<Snapshot>) => {
    const ticketId = searching;
    if (ticketId === null) unread = snapshot ?? {};
    if (ticketId === null || snapshot?.ticket?.id === ticketId) return;
    const ticket = await ask('GET', `/api/matchmaking/tickets/${ticketId}`);
    const { state, matchId, reason } = ticket.body;
    if (state === 'expired') hear({ name: 'matchmaking:expired', payload: { ticketId } });
    if (state === 'cancelled') hear({ name: 'matchmaking:cancelled', payload: { ticketId, reason } });
    if (state !== 'matched') return;
    const { match } = snapshot ?? {};
    // a match in the snapshot may be that of another ticket: of one whose answer was lost, or of the one before
    if (match?.id === matchId && match?.state === 'live') {
      const { lobbyId, teams } = match;
      return hear({ name: 'matchmaking:matched', payload: { ticketId, matchId, lobbyId, teams } });
    }
    const { body } = await ask('GET', `/api/matchmaking/matches/${matchId}`);
    hear({ name: 'matchmaking:matched', payload: { ticketId, matchId, lobbyId: body.lobbyId, teams: body.teams } });
  };

  /** The newest loss of the connection: one effort at a time goes on until it stands. */
  let lostAt: number | null = null;
  const connect = async () => {
    const busy = lostAt !== null;
    lostAt = Date.now();
    if (busy) return;
    for (; !scene.gone; await delay(50 + Math.random() * 200)) {
      const begun: number = lostAt;
      const tried = Date.now();
      const snapshot = await player.connect().catch(() => undefined);
      if (!snapshot) continue;
      seq = Math.max(seq, snapshot.seq);
      await catchUp(snapshot).catch(() => undefined);
      if (lostAt !== begun) continue;
      figures.informedMs.push(Date.now() - begun);
      figures.caughtUpMs.push(Date.now() - tried);
      break;
    }
    lostAt = null;
  };

  /** @returns the ticket, or null where the search has ended before its answer could be had */
  const search = async (): Promise<string | null> => {
    const games = [{ gameId: scene.gameId, mode: 'duel' }];
    does('searching');
    let refusal = '';
    let tries = 0;
    for (const until = now() + PATIENCE_MS; now() < until; await delay(50)) {
      const { status, body, doubtful } = await ask('POST', '/api/matchmaking/tickets', { ...WISHES, games });
      tries += 1;
      refusal = `${status} ${JSON.stringify(body)}`;
      doing.what = `searching, ${tries} tries, at last ${refusal}`;
      if (status === 201) {
        adopt(body.id);
        return body.id;
      }
      // a try whose answer was lost may have been done, or be done when the one after it is long over; else nothing stands in the way
      unsure ||= doubtful;
      if (!unsure || !['ALREADY_QUEUED', 'IN_LIVE_MATCH'].includes(body.code))
        throw new Error(`searching was answered ${refusal} (tickets ${await lastTicketsOf(userId)})`);
      const found = await unknown();
      if (found) {
        adopt(found);
        return found;
      }
    }
    throw new Error(`${name} could not search for ${PATIENCE_MS} ms: ${tries} tries, at last ${refusal}`);
  };

  /**
   * The ticket of this player whose end they do not know yet: a client without its id would find it in its snapshot. One that was taken back
   * because they were in a match by then was never theirs.
   */
  const unknown = async (): Promise<string | null> => {
    const mine = {
      players: new Types.ObjectId(userId),
      _id: { $nin: [...done].map((id) => new Types.ObjectId(id)) },
      reason: { $ne: 'in_live_match' },
    };
    const row = await world.connection
      .collection('tickets')
      .findOne(mine, { projection: { _id: 1 } })
      .catch(() => null);
    return row?._id.toHexString() ?? null;
  };

  /** Reports, and waits until the match is over. */
  const finish = async ({ matchId }: Extract<End, { kind: 'matched' }>) => {
    does(`reporting match ${matchId}`);
    for (const until = now() + PATIENCE_MS; now() < until; await delay(LOOK_AGAIN_MS)) {
      const { status, body } = await ask('POST', `/api/matchmaking/matches/${matchId}/result`, { winner: 0 });
      if (status === 200 && body.state === 'live') continue;
      if (status !== 200 && body.code !== 'MATCH_CLOSED')
        throw new Error(`match ${matchId}: a report was answered ${status} ${body.code}: ${body.detail}`);
      ledger.released(userId, matchId);
      return;
    }
    throw new Error(`match ${matchId} did not end: ${(await whatOthersDo(matchId)).join('; ')}`);
  };

  /** What those do who have not reported, and where they stand in the database. */
  const whatOthersDo = async (matchId: string): Promise<string[]> => {
    const others = (ledger.matches.get(matchId)?.teams ?? []).flat().filter((member) => member.userId !== userId);
    return Promise.all(
      others.map(
        async (other) =>
          `${scene.doing.get(other.userId)?.() ?? other.userId} (tickets ${await lastTicketsOf(other.userId)})`,
      ),
    );
  };

  /** The last three, newest first, as they stand in the database. */
  const lastTicketsOf = async (whose: string): Promise<string> => {
    const rows = await world.connection
      .collection('tickets')
      .find({ players: new Types.ObjectId(whose) })
      .sort({ _id: -1 })
      .limit(3)
      .toArray();
    return rows.map((row) => `${String(row._id)} ${row['state']} ${row['reason'] ?? row['matchId'] ?? ''}`).join(', ');
  };

  const cancel = async (ticketId: string) => {
    const { status, body, doubtful } = await ask('DELETE', `/api/matchmaking/tickets/${ticketId}`);
    if (status === 204) ledger.cancelled(ticketId);
    else if (body?.code !== 'ALREADY_MATCHED' && !doubtful)
      throw new Error(`cancelling ${ticketId} was answered ${status}: ${JSON.stringify(body)}`);
    return status;
  };

  /** Cancels in a while, whatever has become of the search. */
  const loseInterest = async (ticketId: string, patienceMs: number) => {
    await delay(patienceMs);
    const status = await cancel(ticketId);
    figures.cancels[status === 204 ? 'first' : 'late'] += 1;
  };

  /** The end, once it is heard; null where it was not for long, although there was a connection, or when somebody looks in. */
  const listen = async (end: Promise<End>, looksIn: () => boolean): Promise<End | null> => {
    for (let quietSince = Date.now(); ;) {
      const heard = await Promise.race([end, delay(250, undefined, { ref: false })]);
      if (heard) return heard;
      // nothing can be heard: it will be in what the next connection begins with
      if (lostAt !== null && Date.now() - lostAt < PATIENCE_MS) quietSince = Date.now();
      if (Date.now() - quietSince > ASK_AFTER_MS || scene.gone || looksIn()) return null;
    }
  };

  const endOf = async (ticketId: string): Promise<End> => {
    does(`waiting for the end of ticket ${ticketId}`);
    const end = ledger.endOf(ticketId, userId);
    const before = scene.matched;
    for (let cancelled = false; ;) {
      const mayGo = () => scene.over && !cancelled;
      const heard = await listen(end, mayGo);
      if (heard) return heard;
      if (scene.gone) throw new Error('everybody has left');
      if (mayGo()) {
        // nobody may be left
        await cancel(ticketId);
        cancelled = true;
        continue;
      }
      await catchUp();
      const found = await Promise.race([end, delay(0)]);
      if (found) figures.hadToAsk += 1;
      if (found) return found;
      if (cancelled) throw new Error(`${name} could not learn how ticket ${ticketId} ended`);
      const passedOver = scene.matched - before;
      if (passedOver > scene.mostPassedOver)
        throw new Error(`ticket ${ticketId} still waits, and others were told of matches ${passedOver} times`);
    }
  };

  player.onEvent(hear);
  player.onLost(() => {
    figures.reconnected += 1;
    if (!scene.gone) void connect().catch((error: Error) => ledger.broken(error.message));
  });
  seq = (await player.connect()).seq;

  return {
    async live() {
      try {
        while (!scene.over) {
          unread = null;
          searching = await search();
          if (searching === null) continue;
          if (unread) await catchUp(unread);
          if (scene.patienceMs) await loseInterest(searching, scene.patienceMs());
          const end = await endOf(searching);
          done.add(searching);
          searching = null;
          if (end.kind !== 'matched') continue;
          figures.matches += 0.5;
          await finish(end);
        }
      } catch (error) {
        ledger.broken(`${name}: ${(error as Error).message}`);
      }
    },
    leave: () => player.drop(),
  };
}
