import { Types, type Connection } from 'mongoose';
import { manualClock, systemClock } from '../../../core/clock';
import { systemIds } from '../../../core/ids';
import { createLogger } from '../../../core/logger';
import { createAudit, type Audit } from '../../../database/audit';
import { createTransact } from '../../../database/transaction';
import { createMetrics } from '../../../observability/metrics';
import { testDatabase } from '../../../../test/support/database';
import { createGameModel, newGameFields, type GameModel } from '../games.models';
import { newGame } from '../games.schemas';
import { createIgdb } from './igdb/igdb';
import { createImporter } from './import';
import { CLAIM_MS, createSync, type Sync } from './sync';
import { createSyncModel, type SyncModel } from './sync.models';
import { standInGame, startIgdbStandIn, type IgdbStandIn } from './testing/igdb-stand-in';

/** The synchronisation with a server that speaks as IGDB does, over the real database layer. */

const signal = new AbortController().signal;
const logger = createLogger({ level: 'silent', pretty: false });
const HOUR_MS = 3_600_000;
const ADMIN = new Types.ObjectId().toHexString();

let standIn: IgdbStandIn;
let connection: Connection;
let Games: GameModel;
let Syncs: SyncModel;
let audit: Audit;
let clock: ReturnType<typeof manualClock>;
beforeAll(async () => {
  connection = await testDatabase();
  Games = createGameModel(connection);
  Syncs = createSyncModel(connection);
  audit = createAudit({ connection, clock: systemClock, ids: systemIds });
});
beforeEach(async () => {
  await Promise.all([Games.deleteMany({}), Syncs.deleteMany({})]);
  standIn = await startIgdbStandIn(Array.from({ length: 7 }, (_, i) => standInGame({ id: i + 1 })));
  clock = manualClock();
});
afterEach(() => standIn.stop());

/** One instance of the server, as far as this goes: two games to a page. */
function instance(): Sync {
  const catalogue = createIgdb({
    settings: standIn.settings,
    memory: { turn: async () => 0 },
    metrics: createMetrics(),
    clock,
    logger,
    times: { attemptMs: 8_000, pauseMs: 1, longestPauseMs: 2 },
  });
  const importer = createImporter({ provider: 'igdb', Games, clock, ids: systemIds });
  const transact = createTransact(connection);
  return createSync({
    catalogue,
    importer,
    Syncs,
    transact,
    audit,
    clock,
    logger,
    instanceId: systemIds.uuid(),
    pageSize: 2,
  });
}

const toTheEnd = async (sync: Sync) => {
  while (await sync.step(signal));
  return sync.progress();
};
const there = async () => (await Games.find({}, { slug: 1 }).sort({ slug: 1 }).lean()).map(({ slug }) => slug);
const far = (...numbers: number[]) => numbers.map((number) => `far-game-${number}`);

test('everything is read, page by page, and how far it is can be seen', async () => {
  const sync = instance();
  expect(await sync.progress()).toMatchObject({ state: 'never', startedAt: null, total: null });
  expect(await sync.start({ full: false }, ADMIN)).toMatchObject({ state: 'running', changedSince: null, seen: 0 });
  expect(await sync.step(signal)).toBe(true);
  expect(await sync.progress()).toMatchObject({ state: 'running', total: 7, seen: 2, added: 2 });
  expect(await toTheEnd(sync)).toMatchObject({ state: 'done', total: 7, seen: 7, added: 7, updated: 0, problem: null });
  expect(await there()).toEqual(far(1, 2, 3, 4, 5, 6, 7));
  expect(await sync.step(signal)).toBe(false);
});

test('the next one reads what has changed since; a full one reads everything and changes nothing that is the same', async () => {
  const sync = instance();
  await sync.start({ full: false }, ADMIN);
  await toTheEnd(sync);
  clock.advance(24 * HOUR_MS);
  const changed = clock.now() / 1000;
  standIn.games[2] = standInGame({ id: 3, name: 'Renamed', updated_at: changed });
  standIn.games.push(standInGame({ id: 8, updated_at: changed }));
  await sync.start({ full: false }, ADMIN);
  expect(await toTheEnd(sync)).toMatchObject({ state: 'done', total: 2, seen: 2, added: 1, updated: 1 });
  expect(await Games.findOne({ slug: 'far-game-3' }).lean()).toMatchObject({
    name: 'Renamed',
    sortName: 'renamed',
    version: 2,
  });
  await sync.start({ full: true }, ADMIN);
  expect(await toTheEnd(sync)).toMatchObject({ changedSince: null, seen: 8, added: 0, updated: 0 });
});

test('one that dies half-way is continued by another instance from where it was, with the same result', async () => {
  const dying = instance();
  await dying.start({ full: false }, ADMIN);
  await dying.step(signal);
  // it has a page in its hands when it dies: what it read is never written
  standIn.misbehave('slow');
  const own = new AbortController();
  const last = dying.step(own.signal);
  await standIn.asked(3);
  own.abort();
  await last;

  const other = instance();
  expect(await other.step(signal)).toBe(false);
  clock.advance(CLAIM_MS);
  const asked = standIn.queries.length;
  expect(await toTheEnd(other)).toMatchObject({ state: 'done', seen: 7, added: 7 });
  expect(standIn.queries[asked]).toContain('id > 2');
  expect(await there()).toEqual(far(1, 2, 3, 4, 5, 6, 7));
});

test('one that stops in good order leaves it to the others at once', async () => {
  const leaving = instance();
  await leaving.start({ full: false }, ADMIN);
  await leaving.step(signal);
  await leaving.release();
  expect(await toTheEnd(instance())).toMatchObject({ state: 'done', seen: 7, added: 7 });
});

test('two instances at once: one works, each page is counted once, and whoever was overtaken writes nothing', async () => {
  const [one, two] = [instance(), instance()];
  const starts = await Promise.all([one.start({ full: false }, ADMIN), two.start({ full: false }, ADMIN)]);
  expect(starts.map(({ state }) => state)).toEqual(['running', 'running']);
  // asleep with a page in its hands, for longer than its claim
  standIn.always('slow');
  const own = new AbortController();
  const asleep = one.step(own.signal);
  await standIn.asked(1);
  expect(await two.step(signal)).toBe(false);
  clock.advance(CLAIM_MS);
  standIn.always(undefined);
  expect(await two.step(signal)).toBe(true);
  own.abort();
  expect(await asleep).toBe(false);
  while ((await Promise.all([one.step(signal), two.step(signal)])).includes(true));
  expect(await two.progress()).toMatchObject({ state: 'done', seen: 7, added: 7 });
  expect(await there()).toHaveLength(7);
});

test('while it runs it is not begun again, and is begun once by many at once', async () => {
  const sync = instance();
  const views = await Promise.all(Array.from({ length: 10 }, () => sync.start({ full: false }, ADMIN)));
  expect(new Set(views.map(({ startedAt }) => startedAt)).size).toBe(1);
  await sync.step(signal);
  clock.advance(1000);
  expect(await sync.start({ full: true }, ADMIN)).toMatchObject({ startedAt: views[0]?.startedAt, seen: 2 });
});

test('when the other side is away it waits, longer each time, says so, and then goes on', async () => {
  const sync = instance();
  await sync.start({ full: false }, ADMIN);
  await sync.step(signal);
  standIn.always({ status: 429, retryAfter: '45' });
  expect(await sync.step(signal)).toBe(false);
  const { state, problem } = await sync.progress();
  expect([state, problem?.message]).toEqual(['running', expect.stringContaining('429')]);
  expect(Date.parse(problem?.retryAt ?? '') - clock.now()).toBe(45_000);
  standIn.always(undefined);
  const asked = standIn.queries.length;
  clock.advance(44_999);
  expect(await sync.step(signal)).toBe(false);
  expect(standIn.queries).toHaveLength(asked);
  clock.advance(1);
  expect(await toTheEnd(sync)).toMatchObject({ state: 'done', seen: 7, added: 7, problem: null });
});

test('refused settings end it, and starting it again goes on from the same page', async () => {
  const sync = instance();
  await sync.start({ full: false }, ADMIN);
  await sync.step(signal);
  standIn.always(403);
  await sync.step(signal);
  expect(await sync.progress()).toMatchObject({ state: 'failed', seen: 2, problem: { retryAt: null } });
  standIn.always(undefined);
  expect(await sync.step(signal)).toBe(false);
  expect(await sync.start({ full: false }, ADMIN)).toMatchObject({ state: 'running', seen: 2, problem: null });
  expect(await toTheEnd(sync)).toMatchObject({ state: 'done', seen: 7, added: 7 });
});

test('what an admin has written stays, and a game of ours is linked and keeps its facts', async () => {
  const ours = newGame.parse({
    slug: 'our-own',
    name: 'Far Game 2',
    genres: ['board'],
    platforms: ['web'],
    players: { min: 2, max: 4 },
  });
  await Games.create([{ _id: new Types.ObjectId(), ...newGameFields(ours, clock.now()) }]);
  const sync = instance();
  await sync.start({ full: false }, ADMIN);
  expect(await toTheEnd(sync)).toMatchObject({ seen: 7, added: 6 });
  await Games.updateOne({ slug: 'far-game-3' }, { $set: { name: 'As the admin says' }, $inc: { version: 1 } });
  standIn.games = standIn.games.map((game) => ({ ...game, name: `${game.name} II`, updated_at: 1_800_000_000 }));
  await sync.start({ full: true }, ADMIN);
  expect(await toTheEnd(sync)).toMatchObject({ added: 0, updated: 5 });
  expect(await Games.findOne({ slug: 'our-own' }).lean()).toMatchObject({
    name: 'Far Game 2',
    source: { provider: 'igdb', id: '2' },
  });
  expect(await Games.findOne({ slug: 'far-game-3' }).lean()).toMatchObject({ name: 'As the admin says' });
});

test('two games of one name and slug are two, told apart by the year', async () => {
  const doom = (id: number, year: number) =>
    standInGame({ id, name: 'Doom', slug: 'doom', first_release_date: Date.UTC(year, 5) / 1000 });
  standIn.games = [doom(10, 1993), doom(11, 2016), standInGame({ id: 12, platforms: [52, 6], name: '' })];
  const sync = instance();
  await sync.start({ full: false }, ADMIN);
  expect(await toTheEnd(sync)).toMatchObject({ seen: 3, added: 2 });
  expect(await there()).toEqual(['doom', 'doom-11']);
});

test('games are found by what the provider calls them through an index', async () => {
  const plan = await Games.find({ 'source.provider': 'igdb', 'source.id': { $in: ['1', '2'] } }).explain(
    'queryPlanner',
  );
  expect(JSON.stringify(plan)).toContain('"indexName":"source"');
});
