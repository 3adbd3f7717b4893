import type { Connection } from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player, type PlayerSocket } from '../support/client';
import { pulse, tellNews } from '../support/matchmaking';
import { pairOf, type ModeName } from './promises';

/** A small world of players on a real server, in which random things happen: see matchmaking.test.ts beside it. */

export interface Wishes {
  modes: ModeName[];
  regions: string[];
  regionPreference: 'strict' | 'preferred' | 'any';
  languages: string[];
  languagePreference: 'strict' | 'preferred' | 'any';
}

/** Indices stand for players, so that a failing run can be replayed and shrunk. */
export type Step =
  | { do: 'submit'; who: number; wishes: Wishes; expiresInSeconds: number }
  /** Everybody who is free wants the same mode, one with these wishes and the rest with none. */
  | { do: 'rush'; who: number; wishes: Omit<Wishes, 'modes'>; mode: ModeName }
  | { do: 'queueParty'; who: number; friend: number; mode: 'band' | 'pairs' }
  | { do: 'cancel' | 'accept' | 'decline' | 'leaveMatch' | 'reconnect'; who: number }
  | { do: 'change'; who: number; wishes: Omit<Wishes, 'modes'> }
  | { do: 'block'; who: number; whom: number }
  | { do: 'wait'; seconds: number }
  | { do: 'tick' }
  /** Everybody leaves the matches they are in. */
  | { do: 'goOn' }
  /** All of these and a tick at the same time. */
  | { do: 'together'; steps: Step[] };

export interface World {
  server: MaogaServer;
  database: Connection;
  gameId: string;
  clock: { advance(ms: number): void; now(): number };
  players: Player[];
  sockets: PlayerSocket[];
  /** Tickets answered 201. */
  promised: Set<string>;
  /** Tickets whose cancel was answered 2xx. */
  cancelled: Set<string>;
  blocks: Set<string>;
}

export async function createWorld(
  shared: Pick<World, 'server' | 'database' | 'gameId' | 'clock'>,
  count: number,
): Promise<World> {
  const players = await Promise.all(Array.from({ length: count }, () => registerPlayer(shared.server)));
  const sockets = await Promise.all(players.map((player) => player.connect()));
  return { ...shared, players, sockets, promised: new Set(), cancelled: new Set(), blocks: new Set() };
}

/** Does one step. Whether it is possible is the server's business: here only a 5xx is a fault. */
export async function perform(world: World, step: Step): Promise<void> {
  switch (step.do) {
    case 'wait':
      return world.clock.advance(step.seconds * 1000);
    case 'tick':
      return pulse(world.server);
    case 'together':
      await Promise.all([...step.steps.map((each) => perform(world, each)), pulse(world.server)]);
      return tellNews(world.server);
    case 'submit':
      return submitted(world, step.who, '/api/matchmaking/tickets', {
        games: step.wishes.modes.map((mode) => ({ gameId: world.gameId, mode })),
        ...asFields(step.wishes),
        expiresInSeconds: step.expiresInSeconds,
      });
    case 'rush': {
      const games = [{ gameId: world.gameId, mode: step.mode }];
      for (const [i] of world.players.entries()) {
        const asked = i === step.who ? asFields(step.wishes) : { regions: [], languages: [] };
        await submitted(world, i, '/api/matchmaking/tickets', { games, ...asked, expiresInSeconds: 90 });
      }
      return;
    }
    case 'queueParty':
      return queueParty(world, step);
    case 'change':
      return onTicket(world, step.who, async (player, ticket) => {
        answered(await player.patch(`/api/matchmaking/tickets/${ticket.id}`, asFields(step.wishes)));
      });
    case 'cancel':
      return onTicket(world, step.who, async (player, ticket) => {
        const { status } = answered(await player.delete(`/api/matchmaking/tickets/${ticket.id}`));
        if (status === 204) world.cancelled.add(ticket.id);
      });
    case 'accept':
    case 'decline':
      return onTicket(world, step.who, async (player, ticket) => {
        if (ticket.matchId) answered(await player.post(`/api/matchmaking/matches/${ticket.matchId}/${step.do}`));
      });
    case 'goOn':
      for (const player of world.players) await leaveLobbies(world, player, 'match');
      return;
    case 'leaveMatch':
      return leaveLobbies(world, playerAt(world, step.who), 'match');
    case 'block': {
      const [by, whom] = [playerAt(world, step.who), playerAt(world, step.whom)];
      if (by === whom) return;
      answered(await by.put(`/api/users/me/blocks/${whom.userId}`));
      world.blocks.add(pairOf(by.userId, whom.userId));
      return;
    }
    case 'reconnect': {
      const index = step.who % world.players.length;
      world.sockets[index]!.close();
      world.sockets[index] = await playerAt(world, step.who).connect();
    }
  }
}

/** Ends all that is open, so that every ticket has come to its end. */
export async function endAll(world: World): Promise<void> {
  for (const [who] of world.players.entries()) await perform(world, { do: 'cancel', who });
  for (const player of world.players) await leaveLobbies(world, player);
  await tellNews(world.server);
  for (const socket of world.sockets) socket.close();
}

export const playerAt = (world: World, index: number): Player => world.players[index % world.players.length] as Player;

const asFields = ({ regions, regionPreference, languages, languagePreference }: Omit<Wishes, 'modes'>) => ({
  regions,
  regionPreference,
  languages,
  languagePreference,
});

async function submitted(world: World, who: number, path: string, body: object): Promise<void> {
  const answer = answered(await playerAt(world, who).post(path, body));
  if (answer.status === 201) world.promised.add(answer.body.id);
}

async function queueParty(world: World, { who, friend, mode }: Extract<Step, { do: 'queueParty' }>): Promise<void> {
  const [host, guest] = [playerAt(world, who), playerAt(world, friend)];
  if (host === guest) return;
  const opened = answered(await host.post('/api/lobbies', { gameId: world.gameId, mode }));
  if (opened.status !== 201) return;
  answered(await host.post(`/api/lobbies/${opened.body.id}/invites`, { userId: guest.userId }));
  answered(await guest.post(`/api/lobbies/${opened.body.id}/join`));
  await submitted(world, who, `/api/lobbies/${opened.body.id}/queue`, {
    regions: [],
    languages: [],
    expiresInSeconds: 600,
  });
}

async function onTicket(
  world: World,
  who: number,
  act: (player: Player, ticket: { id: string; matchId: string | null }) => Promise<void>,
): Promise<void> {
  const player = playerAt(world, who);
  const { ticket } = answered(await player.get('/api/matchmaking/tickets/current')).body;
  if (ticket) await act(player, ticket);
}

async function leaveLobbies(world: World, player: Player, origin?: string): Promise<void> {
  for (const lobby of answered(await player.get('/api/lobbies?limit=100')).body.items)
    if (origin === undefined || lobby.origin === origin) answered(await player.post(`/api/lobbies/${lobby.id}/leave`));
  await tellNews(world.server);
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function answered<Answer extends { status: number; body: any }>(answer: Answer): Answer {
  if (answer.status >= 500) throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.body)}`);
  return answer;
}
