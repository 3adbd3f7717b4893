import mongoose, { type Connection } from 'mongoose';
import type { RuleSetInput } from '../../src/modules/games/rule-set';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, request, type Answer, type Player, type PlayerSocket } from './client';

/** Games, searches and ticks for tests of matchmaking from outside. */

const opened: Connection[] = [];

/** A look into the server's database, for what no client is shown; closed after the file's tests. */
export async function databaseOf(server: MaogaServer): Promise<Connection> {
  const connection = await mongoose.createConnection(server.databaseUri).asPromise();
  opened.push(connection);
  return connection;
}

afterAll(async () => {
  await Promise.all(opened.splice(0).map((connection) => connection.close()));
});

/** A short look, or a change that no client may make: closed before the test goes on, in which the database may be stopped. */
export async function inDatabaseOf<Result>(
  server: Pick<MaogaServer, 'databaseUri'>,
  look: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const connection = await mongoose.createConnection(server.databaseUri).asPromise();
  try {
    return await look(connection);
  } finally {
    await connection.close();
  }
}

/** Gives a player a role, as an operator or an admin does. */
export async function setRole(server: MaogaServer, { userId }: Player, role: 'moderator' | 'admin'): Promise<void> {
  const _id = new mongoose.Types.ObjectId(userId);
  await inDatabaseOf(server, (database) => database.collection('users').updateOne({ _id }, { $set: { role } }));
}

let games = 0;

/** Adds a game with these modes, as an admin does. @returns its id */
export async function addGame(server: MaogaServer, modes: Record<string, RuleSetInput>): Promise<string> {
  const admin = await registerPlayer(server);
  await setRole(server, admin, 'admin');
  const { body: login } = await request(server, 'POST', '/api/auth/login', {
    body: { identifier: admin.username, password: admin.password },
  });
  const created = await request(server, 'POST', '/api/games', {
    token: login.accessToken,
    body: {
      slug: `test-game-${(games += 1)}`,
      name: `Test Game ${games}`,
      genres: ['test'],
      platforms: ['pc'],
      players: { min: 1, max: 100 },
      modes: Object.entries(modes).map(([key, ruleSet]) => ({ key, name: key, ruleSet })),
    },
  });
  if (created.status !== 201) throw new Error(`the game was not added: ${JSON.stringify(created.body)}`);
  return created.body.id;
}

/** Two against each other. */
export const DUEL: RuleSetInput = { teams: { count: 2, size: { min: 1, max: 1 } } };

/** One round of matchmaking, and all the news of it told. */
export async function pulse(server: MaogaServer): Promise<void> {
  await server.loops.get('matchmaking')!.tick();
  await tellNews(server);
}

/** News may make news: a player who left a lobby has left its match. */
export async function tellNews(server: MaogaServer): Promise<void> {
  await server.loops.get('outbox')!.tick();
}

/** Submits a ticket for one mode. @returns the answer, whatever it is */
export const submit = (player: Player, gameId: string, mode: string, wishes: object = {}): Promise<Answer> =>
  player.post('/api/matchmaking/tickets', { games: [{ gameId, mode }], ...wishes });

/** Submits a ticket that must be accepted. @returns the ticket */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export async function search(player: Player, gameId: string, mode: string, wishes: object = {}): Promise<any> {
  const { status, body } = await submit(player, gameId, mode, wishes);
  if (status !== 201) throw new Error(`the ticket was not accepted: ${JSON.stringify(body)}`);
  return body;
}

export const ticketOf = async (player: Player, ticketId: string) =>
  (await player.get(`/api/matchmaking/tickets/${ticketId}`)).body;

/** Players with their sockets. */
export async function connected(
  server: MaogaServer,
  count: number,
): Promise<{ players: Player[]; sockets: PlayerSocket[] }> {
  const players = await Promise.all(Array.from({ length: count }, () => registerPlayer(server)));
  return { players, sockets: await Promise.all(players.map((player) => player.connect())) };
}

/** Searches and is matched with these others in one round. @returns what the players are told, in their order */
export async function matchUp(
  server: MaogaServer,
  gameId: string,
  mode: string,
  { players, sockets }: { players: Player[]; sockets: PlayerSocket[] },
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
): Promise<any[]> {
  for (const player of players) await search(player, gameId, mode);
  await pulse(server);
  return Promise.all(sockets.map((socket) => socket.next('matchmaking:matched')));
}
