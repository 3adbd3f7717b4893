import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Player } from './client';
import { DUEL, setRole } from './matchmaking';

/** The catalogue for tests from outside: who changes it, what is put into it, how it is read. */

// tests read untyped JSON
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Game = any;

export async function registerAdmin(server: MaogaServer): Promise<Player> {
  const player = await registerPlayer(server);
  await setRole(server, player, 'admin');
  const login = { identifier: player.username, password: player.password };
  const { body } = await request(server, 'POST', '/api/auth/login', { body: login });
  return playerOf(server, { ...player, accessToken: body.accessToken, refreshToken: body.refreshToken });
}

/** Every page of the list, from the first to the last. */
export async function walkGames(server: MaogaServer, query: string, limit: number): Promise<Game[]> {
  const games: Game[] = [];
  let cursor = '';
  do {
    const { status, body } = await request(server, 'GET', `/api/games?limit=${limit}&${query}${cursor}`);
    expect(status).toBe(200);
    expect(body.items.length).toBeLessThanOrEqual(limit);
    games.push(...body.items);
    cursor = body.nextCursor === null ? '' : `&cursor=${encodeURIComponent(body.nextCursor)}`;
  } while (cursor !== '');
  return games;
}

export const slugs = (games: Game[]): string[] => games.map(({ slug }) => slug);

let made = 0;

/** A game as an admin sends it, with a slug of its own. */
export const newGame = (more: object = {}) => ({
  slug: `made-here-${(made += 1)}`,
  name: `Made Here ${made}`,
  genres: ['board'],
  platforms: ['web'],
  players: { min: 2, max: 10 },
  modes: [{ key: 'duel', name: 'Duel', ruleSet: DUEL }],
  ...more,
});

export async function addGameAs(admin: Player, more: object = {}): Promise<Game> {
  const { status, body } = await admin.post('/api/games', newGame(more));
  expect([status, body.detail]).toEqual([201, undefined]);
  return body;
}
