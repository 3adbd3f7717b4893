import { createMetrics, type Metrics } from '../../../../observability/metrics';
import { createLogger } from '../../../../core/logger';
import { manualClock } from '../../../../core/clock';
import type { ExternalCatalogueError } from '../external-catalogue';
import { standInGame, startIgdbStandIn, type IgdbStandIn, type Misbehaviour } from '../testing/igdb-stand-in';
import { createIgdb } from './igdb';
import { BROKEN_FOR_MS, type IgdbClientDeps } from './igdb-client';

/** The provider against a server that speaks its protocol, well and badly. */

const signal = new AbortController().signal;
const ALL = { after: 0, changedSince: null, limit: 10 };

let standIn: IgdbStandIn;
let clock: ReturnType<typeof manualClock>;
beforeEach(async () => {
  standIn = await startIgdbStandIn([standInGame({ id: 1, name: 'Quake' })]);
  clock = manualClock();
});
afterEach(async () => {
  jest.useRealTimers();
  await standIn.stop();
});

function provider(more: Partial<IgdbClientDeps> = {}) {
  return createIgdb({
    settings: standIn.settings,
    memory: { turn: async () => 0 },
    metrics: createMetrics(),
    clock,
    logger: createLogger({ level: 'silent', pretty: false }),
    times: { attemptMs: 5_000, pauseMs: 1, longestPauseMs: 5 },
    ...more,
  });
}

const faultOf = (work: Promise<unknown>) => work.then(String, (error: ExternalCatalogueError) => error.fault ?? error);

test('pages follow each other by number to the last one, also when games come and go in between', async () => {
  standIn.games = [5, 3, 9, 7, 1].map((id) => standInGame({ id }));
  const igdb = provider();
  const first = await igdb.page({ ...ALL, limit: 2 }, signal);
  standIn.games = standIn.games.filter(({ id }) => id !== 1);
  const second = await igdb.page({ ...ALL, limit: 2, after: first.after ?? 0 }, signal);
  const third = await igdb.page({ ...ALL, limit: 2, after: second.after ?? 0 }, signal);
  expect([first, second, third].map(({ games }) => games.map(({ id }) => id))).toEqual([['1', '3'], ['5', '7'], ['9']]);
  expect(third.after).toBeNull();
});

test('only whole games that are played together, on our platforms, and changed since', async () => {
  standIn.games = [
    standInGame({ id: 1 }),
    standInGame({ id: 2, parent_game: 1 }),
    standInGame({ id: 3, version_parent: 1 }),
    standInGame({ id: 4, game_modes: [1] }),
    standInGame({ id: 5, platforms: [52] }),
    standInGame({ id: 6, updated_at: 1_800_000_000 }),
  ];
  const igdb = provider();
  const changedSince = new Date(1_750_000_000_000);
  expect((await igdb.page(ALL, signal)).games.map(({ id }) => id)).toEqual(['1', '6']);
  expect((await igdb.page({ ...ALL, changedSince }, signal)).games.map(({ id }) => id)).toEqual(['6']);
  expect([await igdb.count(null, signal), await igdb.count(changedSince, signal)]).toEqual([2, 1]);
});

test('a name cannot get out of its quotes', async () => {
  const igdb = provider();
  expect(await igdb.search('quake"; fields *; where id = 1; search "', signal)).toEqual([]);
  expect(standIn.queries.at(-1)).toMatch(/^search "quake fields where id 1 search"; fields name,/);
  expect((await igdb.search('QUAKE', signal)).map(({ facts }) => facts.name)).toEqual(['Quake']);
  expect(await igdb.search('"";', signal)).toEqual([]);
});

test('one token serves many requests, and is renewed before it ends', async () => {
  const igdb = provider();
  await Promise.all([igdb.page(ALL, signal), igdb.page(ALL, signal), igdb.search('quake', signal)]);
  expect(standIn.tokensGiven()).toBe(1);
  clock.advance(4_999_000_000);
  await igdb.page(ALL, signal);
  expect(standIn.tokensGiven()).toBe(1);
  clock.advance(1_000_000);
  await igdb.page(ALL, signal);
  expect(standIn.tokensGiven()).toBe(2);
});

test('a token that is refused is replaced, once, and nobody notices', async () => {
  const igdb = provider();
  await igdb.page(ALL, signal);
  standIn.expireTokens();
  expect((await igdb.page(ALL, signal)).seen).toBe(1);
  expect(standIn.tokensGiven()).toBe(2);
  standIn.misbehave(401, 401);
  expect(await faultOf(igdb.page(ALL, signal))).toBe('refused');
  expect(standIn.queries).toHaveLength(5);
});

test('wrong credentials are refused at once, without asking again, and are told without the secret', async () => {
  const igdb = provider({ settings: { ...standIn.settings, clientSecret: 'canary-secret' } });
  await expect(igdb.page(ALL, signal)).rejects.toMatchObject({
    fault: 'refused',
    message: 'Twitch does not accept IGDB_CLIENT_ID and IGDB_CLIENT_SECRET (403)',
  });
  expect(standIn.queries).toEqual([]);
});

test.each<[string, Misbehaviour[]]>([
  ['500 and 503', [500, 503]],
  ['a cut connection', ['cut']],
  ['malformed JSON', ['malformed', 'malformed']],
  [
    '429 with a short Retry-After',
    [
      { status: 429, retryAfter: '0' },
      { status: 429, retryAfter: '0' },
    ],
  ],
  ['429 without Retry-After', [429]],
])('%s are tried again', async (_what, ways) => {
  standIn.misbehave(...ways);
  expect((await provider().page(ALL, signal)).seen).toBe(1);
  expect(standIn.queries).toHaveLength(ways.length + 1);
});

test.each<[string, Misbehaviour, string, number]>([
  ['500', 500, 'away', 4],
  ['no answer in time', 'slow', 'away', 4],
  ['something that is no list', 'not a list', 'away', 1],
  ['400', 400, 'refused', 1],
  ['a Retry-After longer than anybody should hold', { status: 429, retryAfter: '60' }, 'limited', 1],
])('%s, always: the caller is told, after a few attempts at most', async (_what, way, fault, attempts) => {
  standIn.always(way);
  const igdb = provider({ times: { attemptMs: way === 'slow' ? 100 : 5_000, pauseMs: 1, longestPauseMs: 5 } });
  expect(await faultOf(igdb.page(ALL, signal))).toBe(fault);
  expect(standIn.queries).toHaveLength(attempts);
});

test('a server that is not there is away', async () => {
  await standIn.stop();
  expect(await faultOf(provider().page(ALL, signal))).toBe('away');
});

test('what is being asked ends with the signal of whoever asked', async () => {
  standIn.always('slow');
  const own = new AbortController();
  const page = provider().page(ALL, own.signal);
  await standIn.asked(1);
  own.abort(new Error('enough'));
  await expect(page).rejects.toThrow('enough');
});

test('after five failures in a row it is left alone; half a minute later one request finds out whether it is back', async () => {
  jest.useFakeTimers({ now: 0, doNotFake: [...notTheClock] });
  const igdb = provider();
  standIn.always(500);
  await faultOf(igdb.page(ALL, signal));
  await faultOf(igdb.page(ALL, signal));
  const asked = standIn.queries.length;
  expect(asked).toBe(5);
  expect(await faultOf(igdb.page(ALL, signal))).toBe('away');
  jest.setSystemTime(BROKEN_FOR_MS - 1);
  await faultOf(igdb.page(ALL, signal));
  expect(standIn.queries).toHaveLength(asked);

  // still away: one request, and closed for another while
  jest.setSystemTime(BROKEN_FOR_MS);
  await faultOf(igdb.page(ALL, signal));
  expect(standIn.queries).toHaveLength(asked + 1);

  standIn.always(undefined);
  await faultOf(igdb.page(ALL, signal));
  expect(standIn.queries).toHaveLength(asked + 1);
  jest.setSystemTime(2 * BROKEN_FOR_MS);
  expect((await igdb.page(ALL, signal)).seen).toBe(1);
  expect((await igdb.page(ALL, signal)).seen).toBe(1);
});

test('no more than eight requests are open at once, and none goes out before its turn', async () => {
  let turns = 0;
  const igdb = provider({ memory: { turn: async () => ((turns += 1) % 2 === 0 ? 0 : 1) } });
  standIn.always('slow');
  const own = new AbortController();
  const pages = Array.from({ length: 20 }, () => faultOf(igdb.page(ALL, own.signal)));
  await standIn.asked(8);
  expect(turns).toBe(16);
  own.abort();
  await Promise.all(pages);
  expect([standIn.queries.length, standIn.mostOpen()]).toEqual([8, 8]);
});

test('requests are measured by how they ended', async () => {
  const heard: unknown[] = [];
  const metrics = {
    histogram: () => ({ startTimer: () => (labels: unknown) => void heard.push(labels) }),
    gauge: () => undefined,
  } as unknown as Pick<Metrics, 'histogram' | 'gauge'>;
  standIn.misbehave(500, 429);
  await provider({ metrics }).page(ALL, signal);
  expect(heard).toEqual([{ outcome: 'away' }, { outcome: 'limited' }, { outcome: 'ok' }]);
});

/** All that jest could fake, but the date. */
const notTheClock = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
