import type { Ledger } from './ledger';
import type { Player, Snapshot } from './player';
import { soon } from './rest';
import { say } from './say';
import type { Actor, Stage } from './stage';

/** How long somebody tries to connect. */
const PATIENCE_MS = 60_000;

/** Has a player come back whenever their connection is lost. */
export function stayConnected(stage: Stage, actor: Actor): void {
  actor.player.onLost(() => {
    actor.cuts += 1;
    actor.back ??= comeBack(stage, actor);
  });
}

/** Connects again, and learns what happened meanwhile. */
export async function comeBack(stage: Stage, actor: Actor): Promise<void> {
  const { ledger, tally } = stage;
  const { player } = actor;
  try {
    for (let cuts = -1; cuts !== actor.cuts;) {
      cuts = actor.cuts;
      ledger.dropped(player.userId);
      await takeIn(stage, actor, await connect(player));
    }
    tally.reconnected += 1;
    tally.movedAt = Date.now();
  } catch (error) {
    ledger.broken(`${player.username} did not come back: ${(error as Error).message}`);
  } finally {
    actor.back = null;
  }
}

/** Facts are missing, as an instance died over them: asks for the whole state. */
export async function sync(stage: Stage, actor: Actor): Promise<void> {
  const inVain = (why: string | undefined) =>
    stage.ledger.broken(`${actor.player.username} could not ask for what was missing: ${why}`);
  try {
    for (let gaps = -1; gaps !== actor.gaps;) {
      gaps = actor.gaps;
      const { ok, data, error } = await say(stage, actor, 'sync', {});
      if (!ok) return inVain(error?.message);
      await takeIn(stage, actor, data as Snapshot);
    }
  } catch (error) {
    inVain((error as Error).message);
  } finally {
    actor.syncing = null;
  }
}

/** From how things stand: how the search ended, and what was said and done in lobbies. */
async function takeIn({ ledger }: Stage, actor: Actor, { ticket, match, lobbies }: Snapshot): Promise<void> {
  const { player, inbox } = actor;
  if (ticket?.id !== actor.ticketId) await learnEnd(ledger, actor);
  if (ticket?.state === 'proposed' && match)
    // cut off once more, they will be asked again
    await player.send('matchmaking:accept', { matchId: match.id }).catch(() => undefined);
  for (const lobbyId of new Set([...inbox.open(), ...lobbies.map(({ id }) => id)])) await catchUp(actor, lobbyId);
}

/** Until an instance greets this player. @throws where none does for a minute */
export async function connect(player: Player): Promise<Snapshot> {
  for (const until = Date.now() + PATIENCE_MS; ; await soon()) {
    const greeted = await player.connect().catch((error: Error) => error);
    if (!(greeted instanceof Error)) return greeted;
    if (Date.now() > until) throw greeted;
  }
}

/** Asks how the search has ended, if it has: whoever was away was not told. */
export async function learnEnd(ledger: Ledger, { player, ticketId }: Actor): Promise<void> {
  if (ticketId === null) return;
  const { body: ticket } = await player.insist('GET', `/api/matchmaking/tickets/${ticketId}`);
  const hear = (name: string, payload: object) =>
    ledger.heard(player.userId, { name, payload: { ticketId, ...payload } });
  if (ticket?.state === 'cancelled') hear('matchmaking:cancelled', { reason: ticket.reason });
  if (ticket?.state === 'expired') hear('matchmaking:expired', {});
  if (ticket?.state !== 'matched') return;
  const { body: match } = await player.insist('GET', `/api/matchmaking/matches/${ticket.matchId}`);
  hear('matchmaking:matched', { matchId: match.id, lobbyId: match.lobbyId, teams: match.teams });
}

/** Reads what a lobby has come to. */
async function catchUp({ player, inbox }: Actor, lobbyId: string): Promise<void> {
  const lobby = await player.insist('GET', `/api/lobbies/${lobbyId}`);
  const chat = await player.insist('GET', `/api/lobbies/${lobbyId}/messages?limit=100`);
  for (const message of chat.body?.items ?? []) inbox.heard({ name: 'chat:message', payload: { lobbyId, message } });
  if (lobby.status === 200) inbox.heard({ name: 'lobby:update', payload: { lobby: lobby.body } });
}
