import { Types, type Connection } from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { playerOf, registerPlayer, request, type Player } from '../support/client';
import { startMailServer, type MailServer } from '../support/mail';
import { addGame, connected, databaseOf, DUEL, matchUp, search, submit, tellNews } from '../support/matchmaking';
import { shiftedClock, startTestServer } from '../support/server';

const DAY_MS = 86_400_000;

describe('leaving', () => {
  let server: MaogaServer;
  let mails: MailServer;
  let database: Connection;
  let gameId: string;
  const clock = shiftedClock();
  beforeAll(async () => {
    mails = await startMailServer();
    const env = { SMTP_URL: mails.url, ACCESS_TOKEN_SECONDS: '86400', DELETION_GRACE_DAYS: '14' };
    server = await startTestServer({ clock, env, runLoops: false });
    database = await databaseOf(server);
    gameId = await addGame(server, { duel: DUEL });
  });

  const tick = (loop: string) => server.loops.get(loop)!.tick();
  const login = async (player: Player) => {
    const body = { identifier: player.username, password: player.password };
    return request(server, 'POST', '/api/auth/login', { body });
  };
  const back = async (player: Player): Promise<Player> => {
    const { status, body } = await login(player);
    expect(status).toBe(200);
    return playerOf(server, { ...player, accessToken: body.accessToken, refreshToken: body.refreshToken });
  };
  const remove = (player: Player, password: string | undefined = player.password) =>
    player.delete('/api/users/me', { password });
  const deactivate = (player: Player) => player.post('/api/users/me/deactivate', { password: player.password });

  /** The collections with rows in which one of these stands anywhere, in whatever form. */
  const tracesOf = async (needles: string[]): Promise<string[]> => {
    const found = new Set<string>();
    for (const { name } of await database.db!.listCollections().toArray())
      for await (const row of database.db!.collection(name).find()) {
        const text = JSON.stringify(row).toLowerCase();
        if (needles.some((needle) => text.includes(needle.toLowerCase()))) found.add(name);
      }
    return [...found].sort();
  };

  /** Somebody who has done all that leaves traces, with another one who keeps theirs. */
  async function busyPlayer(): Promise<{ player: Player; other: Player; matchId: string; lobbyId: string }> {
    const { players, sockets } = await connected(server, 2);
    const [player, other] = players as [Player, Player];
    const stranger = await registerPlayer(server);
    await player.patch('/api/users/me', { bio: 'about me', displayName: 'Annabel of the Lake' });
    await player.put(`/api/users/me/game-profiles/${gameId}`, { inGameName: 'LakeAnn' });
    await player.put('/api/notifications/settings', { types: { matchCompleted: { inApp: false } } });
    await player.put(`/api/notifications/devices/${'d'.repeat(40)}${player.userId}`, { platform: 'ios' });
    await other.post(`/api/users/me/friends/${player.userId}`);
    await player.post(`/api/users/me/friends/${other.userId}`);
    await player.put(`/api/users/me/blocks/${stranger.userId}`);
    const wanted = { gameId, mode: 'duel', visibility: 'public' };
    const made = await player.post('/api/lobbies', wanted, { 'idempotency-key': `key-of-${player.userId}` });
    await player.post(`/api/lobbies/${made.body.id}/invites`, { userId: other.userId });
    const others = await stranger.post('/api/lobbies', wanted);
    await player.post(`/api/lobbies/${others.body.id}/close`);
    await player.post('/api/auth/second-factor', { password: player.password });
    const identity = {
      userId: new Types.ObjectId(player.userId),
      provider: 'guild',
      email: null,
      linkedAt: new Date(),
    };
    await database.collection<{ _id: string }>('identities').insertOne({ _id: `guild:${player.userId}`, ...identity });
    const [told] = await matchUp(server, gameId, 'duel', { players, sockets });
    await player.post(`/api/lobbies/${told.lobbyId}/messages`, { content: 'hello there' });
    await other.post(`/api/lobbies/${told.lobbyId}/messages`, { content: 'hello yourself' });
    const report = (who: Player) => who.post(`/api/matchmaking/matches/${told.matchId}/result`, { winner: 0 });
    await report(player);
    expect((await report(other)).body.state).toBe('completed');
    await request(server, 'POST', '/api/auth/reset-password', { body: { email: player.email } });
    await tick('mailbox');
    await tellNews(server);
    for (const socket of sockets) socket.close();
    return { player, other, matchId: told.matchId, lobbyId: told.lobbyId };
  }

  describe('for a while', () => {
    test('ends searches, lobbies, sessions and sockets, and hides the player; logging in brings everything back', async () => {
      const [player, other] = [await registerPlayer(server), await registerPlayer(server)];
      const lobby = (await player.post('/api/lobbies', { gameId, mode: 'duel' })).body;
      await search(player, gameId, 'duel');
      const socket = await player.connect();
      expect((await player.post('/api/users/me/deactivate', {})).body.code).toBe('REAUTHENTICATE');
      expect((await player.post('/api/users/me/deactivate', { password: 'wrong' })).body.code).toBe('BAD_CREDENTIALS');
      expect((await deactivate(player)).status).toBe(204);
      await socket.next('session:expired');
      await tellNews(server);
      expect((await player.get('/api/users/me')).status).toBe(401);
      expect((await other.get(`/api/users/${player.userId}`)).status).toBe(404);
      expect((await other.get(`/api/users?query=${player.username}`)).body.items).toEqual([]);
      expect(await database.collection('tickets').findOne({ reason: 'account_closed' })).toMatchObject({ open: false });
      clock.advance(100 * DAY_MS);
      await tick('erasure');
      const here = await back(player);
      expect((await here.get(`/api/lobbies/${lobby.id}`)).body.state ?? 'gone').not.toBe('forming');
      expect((await submit(here, gameId, 'duel')).status).toBe(201);
      expect((await other.get(`/api/users/${player.userId}`)).status).not.toBe(404);
      await here.delete(
        `/api/matchmaking/tickets/${(await here.get('/api/matchmaking/tickets/current')).body.ticket.id}`,
      );
    });
  });

  describe('for good', () => {
    test('needs the password, says until when it can be undone, and tells the owner', async () => {
      const player = await registerPlayer(server);
      expect((await remove(player, 'wrong horse')).body.code).toBe('BAD_CREDENTIALS');
      const { status, body } = await remove(player);
      expect(status).toBe(202);
      expect(Date.parse(body.eraseAt) - clock.now()).toBeGreaterThan(13.9 * DAY_MS);
      await tick('mailbox');
      const mail = await mails.next(player.email, ({ subject }) => /will be deleted/.test(subject));
      expect(mail.text).toContain(body.eraseAt.slice(0, 10));
    });

    test('is undone by logging in within the grace period, and not after it', async () => {
      const player = await registerPlayer(server);
      await remove(player);
      clock.advance(13 * DAY_MS);
      await tick('erasure');
      const here = await back(player);
      clock.advance(2 * DAY_MS);
      await tick('erasure');
      expect((await login(here)).status).toBe(200);
      await remove(await back(player));
      clock.advance(14 * DAY_MS);
      await tick('erasure');
      expect((await login(player)).body.code).toBe('BAD_CREDENTIALS');
      // address and name are free again
      expect((await registerPlayer(server, player.username)).userId).not.toBe(player.userId);
    });

    test('leaves no trace in any collection; matches stay, with somebody whom nobody knows', async () => {
      const { player, other, matchId, lobbyId } = await busyPlayer();
      const needles = [player.userId, player.username, player.email, 'Annabel of the Lake', 'LakeAnn', 'about me'];
      const before = await tracesOf(needles);
      // the test would show nothing if there had been nothing
      for (const name of ['devices', 'feeds', 'linkTokens', 'lobbies', 'mailbox', 'matches', 'messages'])
        expect(before).toContain(name);
      for (const name of ['notificationSettings', 'notifications', 'outbox', 'ratings', 'relations', 'sessions'])
        expect(before).toContain(name);
      for (const name of ['idempotencyKeys', 'identities', 'refreshTokens', 'secondFactors', 'tickets', 'users'])
        expect(before).toContain(name);
      const kept = await tracesOf([other.userId]);

      expect((await remove(player)).status).toBe(202);
      await tellNews(server);
      clock.advance(14 * DAY_MS);
      await tellNews(server);
      await tick('mailbox');
      await tick('erasure');
      expect(await tracesOf(needles)).toEqual([]);

      const here = await back(other);
      const { body: match } = await here.get(`/api/matchmaking/matches/${matchId}`);
      const members = match.teams.flat().map(({ userId }: { userId: string }) => userId);
      expect(members).toHaveLength(2);
      expect(members).toContain(other.userId);
      expect(match.state).toBe('completed');
      expect((await here.get(`/api/lobbies/${lobbyId}/messages`)).body.items).toEqual(
        expect.arrayContaining([expect.objectContaining({ content: 'hello yourself' })]),
      );
      expect((await here.get('/api/users/me/friends')).body.items).toEqual([]);
      const stillThere = new Set(await tracesOf([other.userId]));
      const gone = kept.filter((name) => !stillThere.has(name));
      // passing rows that tell of both, and the one notification of the friendship
      expect(gone.filter((name) => !['outbox', 'mailbox', 'idempotencyKeys', 'relations'].includes(name))).toEqual([]);
    });

    test('an erasure that was cut off is finished by the next one', async () => {
      const player = await registerPlayer(server);
      await remove(player);
      await tellNews(server);
      clock.advance(14 * DAY_MS);
      const users = database.collection('users');
      await users.updateOne({ username: player.username }, { $set: { 'closing.kind': 'erasing' } });
      // by now there is no way back
      expect((await login(player)).body.code).toBe('BAD_CREDENTIALS');
      await tick('erasure');
      expect(await tracesOf([player.userId, player.username])).toEqual([]);
    });
  });

  describe('taking everything along', () => {
    test('the export holds something of every collection in which I am found, and no secret', async () => {
      const { player, other } = await busyPlayer();
      const { status, body } = await player.get('/api/users/me/export');
      expect(status).toBe(200);
      const passing = ['idempotencyKeys', 'mailbox', 'outbox'];
      const held = (await tracesOf([player.userId])).filter((name) => !passing.includes(name));
      expect(held.filter((name) => !(body.data[name]?.length > 0))).toEqual([]);
      const text = JSON.stringify(body);
      expect(text).not.toMatch(/\$2b\$|passwordHash/);
      expect(body.data.users).toEqual([expect.objectContaining({ email: player.email, bio: 'about me' })]);
      expect(body.data.messages.map(({ content }: { content: string }) => content)).toEqual(['hello there']);
      expect(body.data.matches[0].reports).toHaveLength(1);
      expect(body.data.refreshTokens.length).toBeGreaterThan(0);
      for (const row of body.data.refreshTokens) expect(row).not.toHaveProperty('_id');
      // what is the other one's stays theirs
      expect(text).not.toContain(other.email);
      expect((await request(server, 'GET', '/api/users/me/export')).status).toBe(401);
    });

    test('does not tell who has blocked me', async () => {
      const [player, other] = [await registerPlayer(server), await registerPlayer(server)];
      await other.put(`/api/users/me/blocks/${player.userId}`);
      expect((await player.get('/api/users/me/export')).body.data.relations).toEqual([]);
      expect((await other.get('/api/users/me/export')).body.data.relations).toHaveLength(1);
    });
  });
});
