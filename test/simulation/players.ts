import type { Random } from '../../src/core/random';
import { AppError } from '../../src/core/errors';
import { pairOf } from '../properties/promises';
import type { Instance } from './instance';

/**
 * People with an app: they search, alone or with friends, change their minds, cancel, accept and leave, ask any instance, often two
 * things at once, and know only what they were answered and told.
 */
export interface Player {
  readonly userId: string;
  /** Requests under way. */
  busy: number;
  /** The open search, as far as they know. */
  ticketId: string | null;
  proposedMatchId: string | null;
  lobbyId: string | null;
  /** The lobby of theirs and of their friends. */
  partyId: string | null;
  hear(event: string, body: Record<string, unknown>): void;
}

/** What was answered: the promises. */
export interface Ledger {
  promised: Set<string>;
  cancelled: Set<string>;
  /** Pairs, and when the block was answered. */
  blocks: Map<string, number>;
  /** Requests that nobody answered: done or not. */
  doubts: number;
}

export const newPlayer = (userId: string): Player => ({
  userId,
  busy: 0,
  ticketId: null,
  proposedMatchId: null,
  lobbyId: null,
  partyId: null,
  hear(event, body) {
    const mine = this.ticketId === body['ticketId'];
    if (event === 'matchmaking:proposed') this.proposedMatchId = String(body['matchId']);
    if (event === 'matchmaking:matched') this.lobbyId = String(body['lobbyId']);
    if (event === 'lobby:closed' && this.lobbyId === body['lobbyId']) this.lobbyId = null;
    if (event === 'lobby:closed' && this.partyId === body['lobbyId']) this.partyId = null;
    if (mine && /:(matched|cancelled|expired)$/.test(event)) this.ticketId = this.proposedMatchId = null;
  },
});

export interface Deed {
  what: string;
  on: (instance: Instance) => Promise<void>;
}

interface TicketAnswer {
  id: string;
  state: string;
  matchId: string | null;
}

export function createDeeds(
  ledger: Ledger,
  { random, gameId, players }: { random: Random; gameId: string; players: readonly Player[] },
) {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(random() * items.length)] as Item;

  const wishes = () => ({
    regions: pick([[], [], [], [], ['EU'], ['NA'], ['EU', 'NA']]),
    regionPreference: pick(['strict', 'any']),
    languages: pick([[], [], [], [], ['en'], ['de']]),
    languagePreference: pick(['strict', 'any', 'any']),
  });

  const deed = (player: Player, what: string, work: (instance: Instance) => Promise<void>): Deed => ({
    what,
    async on(instance) {
      player.busy += 1;
      try {
        await work(instance);
      } catch (error) {
        // a refusal is an answer; whatever else it was, nobody knows whether it was done
        if (!(error instanceof AppError) || error.code === 'UNAVAILABLE') ledger.doubts += 1;
      } finally {
        player.busy -= 1;
      }
    },
  });

  const look = (player: Player) =>
    deed(player, 'looks', async (instance) => {
      const { userId, ticketId } = player;
      const { ticket } = await instance.ask<{ ticket: TicketAnswer | null }>(
        userId,
        'get',
        '/api/matchmaking/tickets/current',
      );
      if (ticket) {
        player.ticketId = ticket.id;
        player.proposedMatchId = ticket.state === 'proposed' ? ticket.matchId : null;
        return;
      }
      const { items } = await instance.ask<{ items: { id: string }[] }>(userId, 'get', '/api/lobbies');
      player.lobbyId = items.find(({ id }) => id !== player.partyId)?.id ?? null;
      if (player.ticketId === ticketId) player.ticketId = null;
    });

  const submit = (player: Player) =>
    deed(player, 'submits', async (instance) => {
      const modes = pick([
        ['duel'],
        ['duel'],
        ['asked'],
        ['duel', 'band'],
        ['asked', 'duel'],
        ['duel', 'band', 'pairs'],
      ]);
      const body = {
        games: modes.map((mode) => ({ gameId, mode })),
        ...wishes(),
        expiresInSeconds: pick([30, 60, 600]),
      };
      const { id } = await instance.ask<TicketAnswer>(player.userId, 'post', '/api/matchmaking/tickets', { body });
      ledger.promised.add(id);
      player.ticketId = id;
    });

  /** A lobby for friends; it is public, so that they need no invitation. */
  const open = (player: Player) =>
    deed(player, 'opens a lobby', async (instance) => {
      const body = { gameId, mode: pick(['band', 'band', 'pairs']), visibility: 'public' };
      const { id } = await instance.ask<{ id: string }>(player.userId, 'post', '/api/lobbies', { body });
      player.partyId = id;
    });

  const join = (player: Player, lobbyId: string) =>
    deed(player, 'joins', async (instance) => {
      await instance.ask(player.userId, 'post', '/api/lobbies/:id/join', { params: { id: lobbyId } });
      player.partyId = lobbyId;
    });

  const queue = (player: Player, lobbyId: string) =>
    deed(player, 'submits for a party', async (instance) => {
      const { id } = await instance.ask<TicketAnswer>(player.userId, 'post', '/api/lobbies/:id/queue', {
        params: { id: lobbyId },
        body: { ...wishes(), expiresInSeconds: pick([30, 60, 600]) },
      });
      ledger.promised.add(id);
      player.ticketId = id;
    });

  const cancel = (player: Player, ticketId: string) =>
    deed(player, 'cancels', async (instance) => {
      await instance.ask(player.userId, 'delete', '/api/matchmaking/tickets/:id', { params: { id: ticketId } });
      ledger.cancelled.add(ticketId);
      if (player.ticketId === ticketId) player.ticketId = null;
    });

  const change = (player: Player, ticketId: string) =>
    deed(player, 'changes', (instance) =>
      instance.ask(player.userId, 'patch', '/api/matchmaking/tickets/:id', {
        params: { id: ticketId },
        body: wishes(),
      }),
    );

  const answer = (player: Player, matchId: string) => {
    const how = pick(['accept', 'accept', 'accept', 'decline']);
    return deed(player, `${how}s`, async (instance) => {
      await instance.ask(player.userId, 'post', `/api/matchmaking/matches/:id/${how}`, { params: { id: matchId } });
      player.proposedMatchId = null;
    });
  };

  const leave = (player: Player, lobbyId: string) =>
    deed(player, 'leaves', async (instance) => {
      await instance.ask(player.userId, 'post', '/api/lobbies/:id/leave', { params: { id: lobbyId } });
      if (player.lobbyId === lobbyId) player.lobbyId = null;
      if (player.partyId === lobbyId) player.partyId = null;
    });

  const block = (player: Player) => {
    const other = pick(players.filter((each) => each !== player)).userId;
    return deed(player, 'blocks', async (instance) => {
      await instance.ask(player.userId, 'put', '/api/users/me/blocks/:userId', { params: { userId: other } });
      const pair = pairOf(player.userId, other);
      if (!ledger.blocks.has(pair)) ledger.blocks.set(pair, Date.now());
    });
  };

  /** With friends or without. */
  const search = (player: Player): Deed => {
    const { partyId } = player;
    const others = players.flatMap((each) => each.partyId ?? []);
    if (partyId !== null) return pick([queue, queue, queue, leave])(player, partyId);
    const chance = random();
    if (chance < 0.1) return open(player);
    return chance < 0.25 && others.length > 0 ? join(player, pick(others)) : submit(player);
  };

  /** What this player does next, or nothing. */
  const next = (player: Player): Deed | null => {
    const chance = random();
    if (chance < 0.15) return look(player);
    if (chance < 0.17) return block(player);
    if (player.proposedMatchId !== null) return chance < 0.9 ? answer(player, player.proposedMatchId) : null;
    if (player.lobbyId !== null) return chance < 0.7 ? leave(player, player.lobbyId) : submit(player);
    if (player.ticketId === null) return search(player);
    if (chance < 0.25) return cancel(player, player.ticketId);
    if (chance < 0.45) return change(player, player.ticketId);
    // from another device, or since they were not answered at once
    return chance < 0.6 ? submit(player) : null;
  };

  return { next, look, submit, open, join, queue, cancel };
}
