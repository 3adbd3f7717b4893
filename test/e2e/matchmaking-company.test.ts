import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from '../support/client';
import { addGame, connected, DUEL, pulse, search, tellNews, ticketOf } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

/** Whom one has met lately, or turned down, is met again only for want of others, and only for a while. */

const RECENT_SECONDS = 1200;

describe('recent company', () => {
  const clock = shiftedClock();
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ clock, runLoops: false, env: { ACCESS_TOKEN_SECONDS: '86400' } });
    const avoid = { recentSeconds: RECENT_SECONDS };
    const patient = { ...avoid, relaxAfterSeconds: 60 };
    gameId = await addGame(server, {
      duel: { ...DUEL, avoid },
      group: { teams: { count: 1, size: { min: 2, max: 2 } }, avoid },
      asked: { ...DUEL, avoid, acceptance: { seconds: 10 } },
      patient: { ...DUEL, avoid: patient },
      forgetful: { ...DUEL, avoid: { recentSeconds: 0, relaxAfterSeconds: 60 } },
    });
  });

  const stateOf = async (player: Player, { id }: { id: string }) => (await ticketOf(player, id)).state;
  const matchOf = async (player: Player, { id }: { id: string }) => (await ticketOf(player, id)).matchId;
  const isOver = async (player: Player, matchId: string, mode: string) => {
    const result = mode === 'group' ? { completed: true } : { winner: 0 };
    expect((await player.post(`/api/matchmaking/matches/${matchId}/result`, result)).status).toBe(200);
  };

  /** Two who have just played with each other. */
  async function acquainted(mode: string): Promise<[Player, Player]> {
    const { players } = await connected(server, 2);
    const [one, two] = players as [Player, Player];
    const ticket = await search(one, gameId, mode);
    await search(two, gameId, mode);
    await pulse(server);
    const matchId = await matchOf(one, ticket);
    for (const player of [one, two]) await isOver(player, matchId, mode);
    await tellNews(server);
    return [one, two];
  }

  /** Both search again, and then somebody whom they have not met. @returns with whom the first of them plays */
  async function choice(mode: string, [one, two]: [Player, Player]): Promise<'acquaintance' | 'stranger' | null> {
    const stranger = await registerPlayer(server);
    const searches: [Player, { id: string }][] = [];
    for (const player of [one, two, stranger]) {
      searches.push([player, await search(player, gameId, mode)]);
      clock.advance(1);
    }
    await pulse(server);
    const [mine, acquaintance, other] = await Promise.all(searches.map(([player, ticket]) => matchOf(player, ticket)));
    for (const [player, ticket] of searches)
      if ((await stateOf(player, ticket)) === 'queued') await player.delete(`/api/matchmaking/tickets/${ticket.id}`);
    return mine === null ? null : mine === other ? 'stranger' : mine === acquaintance ? 'acquaintance' : null;
  }

  test('somebody else is preferred to who was met lately', async () => {
    expect(await choice('group', await acquainted('group'))).toBe('stranger');
  });

  test('where there is nobody else, recent company meets again at once', async () => {
    const pair = await acquainted('duel');
    const tickets = [];
    for (const player of pair) tickets.push(await search(player, gameId, 'duel'));
    await pulse(server);
    expect(await stateOf(pair[0], tickets[0])).toBe('matched');
    expect(await matchOf(pair[0], tickets[0])).toBe(await matchOf(pair[1], tickets[1]));
  });

  test('when enough time has gone by, whoever waited longest is met, known or not', async () => {
    const pair = await acquainted('group');
    clock.advance((RECENT_SECONDS + 1) * 1000);
    expect(await choice('group', pair)).toBe('acquaintance');
  });

  test('who was turned down is not proposed again while there is somebody else', async () => {
    const { players, sockets } = await connected(server, 3);
    const [keen, picky, stranger] = players as [Player, Player, Player];
    const kept = await search(keen, gameId, 'asked');
    await search(picky, gameId, 'asked');
    await pulse(server);
    const { matchId } = await sockets[1]!.next('matchmaking:proposed');
    expect((await picky.post(`/api/matchmaking/matches/${matchId}/decline`)).status).toBe(200);
    await search(picky, gameId, 'asked');
    clock.advance(1);
    const other = await search(stranger, gameId, 'asked');
    await pulse(server);
    expect(await matchOf(keen, kept)).not.toBe(matchId);
    expect(await matchOf(keen, kept)).toBe(await matchOf(stranger, other));
  });

  test('where the mode says so, recent company waits before it meets again, and is told why', async () => {
    const pair = await acquainted('patient');
    const tickets: { id: string }[] = [];
    for (const player of pair) tickets.push(await search(player, gameId, 'patient'));
    await pulse(server);
    expect(await stateOf(pair[0], tickets[0]!)).toBe('queued');
    const { body } = await pair[0].get(`/api/matchmaking/tickets/${tickets[0]!.id}/explanation`);
    expect(body.pools[0]).toMatchObject({ candidates: 1, compatible: 0, excludedBy: { recent: 1 } });
    clock.advance(61_000);
    await pulse(server);
    expect(await stateOf(pair[0], tickets[0]!)).toBe('matched');
  });

  test('a mode may have no memory', async () => {
    const pair = await acquainted('forgetful');
    const tickets: { id: string }[] = [];
    for (const player of pair) tickets.push(await search(player, gameId, 'forgetful'));
    await pulse(server);
    expect(await stateOf(pair[0], tickets[0]!)).toBe('matched');
  });
});
