import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { ObjectId } from 'bson';
import type { Connection } from 'mongoose';
import { verifyInvariants } from '../../scripts/verify/invariants';
import { CHECKS, type Check } from '../../scripts/verify/findings';
import type { MaogaServer } from '../../src/server';
import { FROM_SOURCE } from '../support/command';
import { addGame, connected, databaseOf, DUEL, matchUp, pulse, search, submit, tellNews } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** A database that has seen real play holds; whatever is broken in it is found by name. */

const COLLECTIONS = ['tickets', 'matches', 'lobbies', 'outbox', 'relations'];
// tests look into rows as they are
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Row = any;

let server: MaogaServer;
let database: Connection;
let sound: Map<string, Row[]>;

const rows = (name: string) => database.collection<Row>(name);
const one = async (name: string, filter: object): Promise<Row> => {
  const row = await rows(name).findOne(filter);
  if (!row) throw new Error(`the play left no such row in ${name}`);
  return row;
};
const change = (name: string, row: Row, set: object) => rows(name).updateOne({ _id: row._id }, { $set: set });
const liveMatch = () => one('matches', { state: 'live' });
const ticketOf = (match: Row, i = 0) => one('tickets', { _id: match.tickets[i].ticketId });
const longAgo = new Date(Date.now() - 3_600_000);
const verify = (patienceMs: number | null = 60_000) => verifyInvariants(database, { patienceMs });

beforeAll(async () => {
  server = await startTestServer({ runLoops: false });
  database = await databaseOf(server);
  const gameId = await addGame(server, { duel: DUEL, asked: { ...DUEL, acceptance: { seconds: 30 } } });
  const crowd = await connected(server, 12);
  const pair = (at: number) => ({ players: crowd.players.slice(at, at + 2), sockets: crowd.sockets.slice(at, at + 2) });

  await matchUp(server, gameId, 'duel', pair(0));
  const [told] = await matchUp(server, gameId, 'duel', pair(2));
  for (const player of pair(2).players)
    await player.post(`/api/matchmaking/matches/${told.matchId}/result`, { winner: 0 });

  // proposed, and fallen through
  for (const at of [4, 6]) for (const player of pair(at).players) await submit(player, gameId, 'asked');
  await pulse(server);
  const proposals = await Promise.all([4, 6].map((at) => crowd.sockets[at]!.next('matchmaking:proposed')));
  await crowd.players[4]!.post(`/api/matchmaking/matches/${proposals[0].matchId}/decline`);

  await search(crowd.players[8]!, gameId, 'duel', { regions: ['EU'], regionPreference: 'strict' });
  const cancelled = await search(crowd.players[9]!, gameId, 'asked');
  await crowd.players[9]!.delete(`/api/matchmaking/tickets/${cancelled.id}`);
  await search(crowd.players[10]!, gameId, 'duel', { scheduledFor: new Date(Date.now() + 3_600_000).toISOString() });
  await tellNews(server);
  // what is planted below is kept out by indexes
  await rows('tickets').dropIndex('one_open_per_player');
  await rows('matches').dropIndex('one_live_per_player');
  await rows('lobbies').dropIndex('match');
  sound = new Map(
    await Promise.all(COLLECTIONS.map(async (name) => [name, await rows(name).find().toArray()] as const)),
  );
});

test('a database after play of every kind holds', async () => {
  const { seen, findings } = await verify();
  expect(findings.total).toBe(0);
  expect(seen).toMatchObject({ tickets: 11, matches: 4, lobbies: 2 });
  const states = await rows('matches').distinct('state');
  expect(states.sort()).toEqual(['completed', 'fellThrough', 'live', 'proposed']);
});

const PLANTED: [string, Check, () => Promise<unknown>][] = [
  [
    'a second open ticket of a player',
    'two-open-tickets',
    async () => {
      const { players } = await one('tickets', { state: 'queued' });
      await change('tickets', await one('tickets', { state: 'scheduled' }), { players });
    },
  ],
  [
    'a second live match of a player',
    'two-live-matches',
    async () => {
      const { players } = await liveMatch();
      await change('matches', await one('matches', { state: 'completed' }), {
        state: 'live',
        live: true,
        livePlayers: players,
      });
    },
  ],
  [
    'a ticket that is queued and closed',
    'ticket-state',
    async () => change('tickets', await one('tickets', { state: 'queued' }), { open: false }),
  ],
  ['a ticket of a match that is gone', 'ticket-match', async () => rows('matches').deleteOne(await liveMatch())],
  [
    'a matched ticket that its match does not hold',
    'ticket-match',
    async () => {
      const { matchId } = await ticketOf(await liveMatch());
      await change('tickets', await one('tickets', { state: 'cancelled' }), { state: 'matched', matchId });
    },
  ],
  [
    'a queued ticket that expired an hour ago',
    'ticket-overdue',
    async () => change('tickets', await one('tickets', { state: 'queued' }), { expiresAt: longAgo }),
  ],
  [
    'a match whose ticket was lost',
    'match-tickets',
    async () => rows('tickets').deleteOne(await ticketOf(await liveMatch())),
  ],
  [
    'a match with the ticket of another one',
    'match-tickets',
    async () => {
      const other = await one('matches', { state: 'completed' });
      await change('tickets', await ticketOf(await liveMatch()), { matchId: other._id });
    },
  ],
  [
    'a matched ticket that went back to the queue',
    'match-tickets',
    async () =>
      change('tickets', await ticketOf(await liveMatch()), {
        state: 'queued',
        open: true,
        matchId: null,
        endedAt: null,
      }),
  ],
  [
    'a match that is over and still live',
    'match-state',
    async () => change('matches', await one('matches', { state: 'completed' }), { live: true }),
  ],
  [
    'a match with a player who is in no team',
    'match-state',
    async () => change('matches', await liveMatch(), { players: [new ObjectId(), new ObjectId()] }),
  ],
  [
    'a proposal that nobody decided',
    'match-overdue',
    async () => change('matches', await one('matches', { state: 'proposed' }), { acceptBy: longAgo }),
  ],
  [
    'a match without a lobby',
    'match-lobby',
    async () => rows('lobbies').deleteOne({ matchId: (await liveMatch())._id }),
  ],
  [
    'a match with two lobbies',
    'match-lobby',
    async () => {
      const lobby = await one('lobbies', { matchId: (await liveMatch())._id });
      await rows('lobbies').insertOne({ ...lobby, _id: new ObjectId() });
    },
  ],
  [
    'a lobby of no match',
    'lobby-match',
    async () =>
      change('lobbies', await one('lobbies', { matchId: (await liveMatch())._id }), { matchId: new ObjectId() }),
  ],
  [
    'a cancelled ticket in a live match',
    'ended-ticket',
    async () => change('tickets', await ticketOf(await liveMatch()), { state: 'cancelled' }),
  ],
  [
    'a match of which no fact was written',
    'news-missing',
    async () => rows('outbox').deleteOne({ type: 'match.formed', key: String((await liveMatch())._id) }),
  ],
  [
    'news that nobody has told for an hour',
    'news-late',
    async () =>
      change('outbox', await one('outbox', { type: 'match.formed' }), { deliveredAt: null, createdAt: longAgo }),
  ],
  [
    'a mode that a member did not name',
    'unsuited',
    async () =>
      change('tickets', await ticketOf(await liveMatch()), {
        games: [{ gameId: new ObjectId(), mode: 'duel', weight: 5 }],
      }),
  ],
  [
    'a group of another size than asked for',
    'unsuited',
    async () => change('tickets', await ticketOf(await liveMatch()), { groupSize: { min: 3, max: 5 } }),
  ],
  [
    'a strict member with somebody from elsewhere',
    'unsuited',
    async () => {
      const match = await liveMatch();
      await change('tickets', await ticketOf(match, 0), { regions: ['EU'], regionPreference: 'strict' });
      await change('tickets', await ticketOf(match, 1), { regions: ['NA'], regionPreference: 'any' });
    },
  ],
  [
    'members without a common language',
    'unsuited',
    async () => {
      const match = await liveMatch();
      await change('tickets', await ticketOf(match, 0), { languages: ['pt-BR'], languagePreference: 'strict' });
      await change('tickets', await ticketOf(match, 1), { languages: ['de'] });
    },
  ],
  [
    'members of whom one had blocked the other',
    'unsuited',
    async () => {
      const [users] = [[...(await liveMatch()).players].sort((a: Row, b: Row) => (String(a) < String(b) ? -1 : 1))];
      await rows('relations').insertOne({
        _id: users.map(String).join('_'),
        users,
        state: 'blocked',
        blockedBy: [users[0]],
        since: longAgo,
      });
    },
  ],
];

describe('finds', () => {
  afterEach(async () => {
    for (const [name, kept] of sound) {
      await rows(name).deleteMany({});
      if (kept.length > 0) await rows(name).insertMany(kept);
    }
  });

  test.each(PLANTED)('%s: %s', async (_what, check, plant) => {
    await plant();
    const { findings } = await verify();
    expect(findings.count(check)).toBeGreaterThan(0);
    expect(findings.examples(check)[0]).toMatch(/[0-9a-f]{24}/);
  });

  test('of every check at least one planted violation is tried', () => {
    expect([...new Set(PLANTED.map(([, check]) => check))].sort()).toEqual(Object.keys(CHECKS).sort());
  });

  test('nothing stuck in a database on which no server runs', async () => {
    await change('tickets', await one('tickets', { state: 'queued' }), { expiresAt: longAgo });
    await change('matches', await one('matches', { state: 'proposed' }), { acceptBy: longAgo });
    await change('outbox', await one('outbox', {}), { deliveredAt: null, createdAt: longAgo });
    expect((await verify(null)).findings.total).toBe(0);
  });

  test('the command prints a table, and says by its exit code whether everything holds', async () => {
    const env = { PATH: process.env['PATH'], NODE_ENV: 'test', DATA_DIR: ':memory:', MONGODB_URI: server.databaseUri };
    const secrets = { JWT_SECRET: 'j'.repeat(32), JWT_REFRESH_SECRET: 'r'.repeat(32) };
    const run = (...args: string[]) =>
      new Promise<{ code: number; said: string }>((resolve) => {
        const command = [...FROM_SOURCE, 'scripts/verify-invariants.ts', ...args];
        const options = { cwd: join(__dirname, '../..'), env: { ...env, ...secrets } };
        execFile(process.execPath, command, options, (error, said) =>
          resolve({ code: error ? Number(error.code) : 0, said }),
        );
      });
    const holds = await run();
    expect(holds).toMatchObject({ code: 0, said: expect.stringContaining('Everything holds.') });
    await rows('lobbies').deleteOne({ matchId: (await liveMatch())._id });
    const broken = await run('--patience', '30');
    expect(broken.code).toBe(1);
    expect(broken.said).toMatch(/match-lobby\s+1\s+I3/);
    expect(broken.said).toContain('1 violations.');
    expect((await run('--patience', 'long')).code).toBe(2);
  });
});
