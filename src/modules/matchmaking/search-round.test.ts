import { Types, type Connection } from 'mongoose';
import { testDatabase } from '../../../test/support/database';
import { manualClock, type Clock } from '../../core/clock';
import { createEventBus } from '../../core/event-bus';
import { systemIds } from '../../core/ids';
import { createLogger } from '../../core/logger';
import { createOutbox } from '../../database/outbox';
import { createTransact, OutcomeUnknown, type Transact } from '../../database/transaction';
import type { GameMode } from '../games';
import { ruleSetSchema } from '../games/rule-set';
import { createLobbyStore } from '../lobbies/lobbies.store';
import { createLobbiesApi } from '../lobbies/match-lobbies';
import { createAcceptanceService } from './acceptance.service';
import { createCompany } from './company';
import { Engine } from './engine';
import { createFormation } from './formation';
import type { MatchmakingEvents } from './matchmaking.api';
import { createMatchmakingLoop } from './matchmaking.loop';
import { createMatchModel, createRatingModel, createTicketModel } from './matchmaking.models';
import { poolKey } from './matchmaking.policy';
import { submitBody } from './matchmaking.schemas';
import { createPools, SEED } from './pools';
import { createSearchRound } from './search-round';
import { createSubmissions, type Submissions } from './submissions';
import { createTicketStore } from './tickets.store';
import { createTicketsService } from './tickets.service';
import { createUpkeep } from './upkeep';
import { createWaits } from './waits';

/** What happens between the search of a round and its commit, at exactly that moment. */

const gameId = systemIds.id();
const duel: GameMode = {
  gameId,
  gameName: 'Game',
  gameSlug: 'game',
  key: 'duel',
  name: 'Duel',
  ruleSet: ruleSetSchema.parse({ teams: { count: 2, size: { min: 1, max: 1 } } }),
  version: 1,
};

let connection: Connection;
beforeAll(async () => {
  connection = await testDatabase();
});
afterEach(() => Promise.all(['tickets', 'matches'].map((name) => connection.collection(name).deleteMany({}))));

/** The module's parts over a real database; whoever asks for blocks, as a round does before it commits, runs `meanwhile` once. */
function parts() {
  const clock = manualClock();
  const logger = createLogger({ level: 'silent', pretty: false });
  const own = connection.useDb(connection.name);
  const reliable = createTransact(own);
  let answersLost = 0;
  const transact: Transact = async (work) => {
    const result = await reliable(work);
    if (answersLost === 0) return result;
    answersLost -= 1;
    throw new OutcomeUnknown(new Error('the connection was cut'));
  };
  const outbox = createOutbox({
    connection: own,
    bus: createEventBus<MatchmakingEvents>(),
    clock,
    ids: systemIds,
    logger,
  });
  let meanwhile: () => Promise<unknown> = async () => undefined;
  const users = {
    async blocks() {
      const once = meanwhile;
      meanwhile = async () => undefined;
      await once();
      return new Map<string, ReadonlySet<string>>();
    },
    preferences: async () => new Map(),
    summaries: async () => new Map(),
  };
  const games = { mode: async () => duel };
  const leases = { holds: () => true, fence: async () => undefined };
  const shared = { leases, connection: own, transact, clock, ids: systemIds, logger, users, games };
  const lobbyStore = createLobbyStore({ ...shared, outbox: outbox as never });
  const lobbies = createLobbiesApi({ ...shared, store: lobbyStore });
  const [Tickets, Matches, Ratings] = [createTicketModel(own), createMatchModel(own), createRatingModel(own)];
  const waits = createWaits();
  const pools = createPools({
    ...shared,
    engine: new Engine(SEED),
    Tickets,
    companyOf: createCompany({ ...shared, Matches }),
  });
  let beforeInsert: () => Promise<unknown> = async () => undefined;
  let afterInsert: () => Promise<unknown> = async () => undefined;
  const real = createSubmissions({ Tickets, Matches, Ratings });
  const submissions: Submissions = {
    ...real,
    async insert(row) {
      await beforeInsert();
      const inserted = await real.insert(row);
      await afterInsert();
      return inserted;
    },
  };
  const deps = { ...shared, outbox, lobbies, Tickets, Matches, submissions, waits, pools };
  const store = createTicketStore(deps);
  const formation = createFormation({ ...deps, store });
  const acceptance = createAcceptanceService({ ...deps, store, formation });
  const tickets = createTicketsService({ ...deps, store, acceptance });
  const upkeep = createUpkeep({ ...deps, store });
  const search = createSearchRound({ ...deps, formation });
  const submit = (userId: string, wishes: object = {}) =>
    tickets.submit(userId, submitBody.parse({ games: [{ gameId, mode: 'duel' }], ...wishes }));
  return {
    ...deps,
    tickets,
    upkeep,
    search,
    submit,
    loseAnswer: () => void (answersLost += 1),
    whileSearching: (work: () => Promise<unknown>) => (meanwhile = work),
    beforeInsert: (work: () => Promise<unknown>) => (beforeInsert = work),
    afterInsert: (work: () => Promise<unknown>) => (afterInsert = work),
  };
}

const strict = (region: string) => ({ regions: [region], regionPreference: 'strict' });

test('a wish that is answered between the search and the commit counts', async () => {
  const { submit, tickets, search, whileSearching, clock } = parts();
  const [one, two, three] = [systemIds.id(), systemIds.id(), systemIds.id()];
  const mine = await submit(one);
  clock.advance(1);
  const theirs = await submit(two, strict('NA'));
  whileSearching(() => tickets.change(one, mine.id, { regions: ['EU'], regionPreference: 'strict' }));
  await search();
  expect(await tickets.view(one, mine.id)).toMatchObject({ state: 'queued', revision: 2, queuedAt: mine.queuedAt });
  expect(await tickets.view(two, theirs.id)).toMatchObject({ state: 'queued', revision: 1 });
  const third = await submit(three, strict('EU'));
  await search();
  expect(await tickets.view(one, mine.id)).toMatchObject({ state: 'matched' });
  expect(await tickets.view(three, third.id)).toMatchObject({ state: 'matched' });
});

test('who loses a partner in the moment of the commit is searched for again in the same round', async () => {
  const { submit, tickets, search, whileSearching, clock } = parts();
  const users = [systemIds.id(), systemIds.id(), systemIds.id()] as const;
  const [first, second, third] = await Promise.all(users.map((userId) => (clock.advance(1), submit(userId))));
  whileSearching(() => tickets.cancel(users[0], first!.id));
  await search();
  expect(await tickets.view(users[0], first!.id)).toMatchObject({ state: 'cancelled' });
  expect(await tickets.view(users[1], second!.id)).toMatchObject({ state: 'matched' });
  expect(await tickets.view(users[2], third!.id)).toMatchObject({ state: 'matched' });
});

test('who searches again in the moment of the commit is told that they are in a match', async () => {
  const { submit, tickets, search, beforeInsert } = parts();
  const [one, two] = [systemIds.id(), systemIds.id()];
  const mine = await submit(one);
  await submit(two);
  beforeInsert(search);
  await expect(submit(one)).rejects.toMatchObject({ code: 'IN_LIVE_MATCH' });
  expect(await tickets.view(one, mine.id)).toMatchObject({ state: 'matched' });
  expect(await tickets.current(one)).toBeNull();
});

test('a ticket that another instance matches before its answer is on its way is answered all the same', async () => {
  const [here, there] = [parts(), parts()];
  const [one, two] = [systemIds.id(), systemIds.id()];
  await there.submit(two);
  here.afterInsert(async () => {
    await there.upkeep.catchUp();
    await there.search();
  });
  const mine = await here.submit(one);
  expect(await there.tickets.view(one, mine.id)).toMatchObject({ state: 'matched' });
});

test('a commit that fails is made up for, without anybody having to change anything', async () => {
  const { submit, tickets, search, whileSearching } = parts();
  const [one, two] = [systemIds.id(), systemIds.id()];
  const mine = await submit(one);
  await submit(two);
  whileSearching(() => Promise.reject(new Error('the database is away')));
  await search();
  expect(await tickets.view(one, mine.id)).toMatchObject({ state: 'matched' });
});

test('a commit whose outcome is unknown is looked up by its match', async () => {
  const { submit, tickets, search, loseAnswer, waits, pools, clock } = parts();
  const [one, two] = [systemIds.id(), systemIds.id()];
  const mine = await submit(one);
  await submit(two);
  clock.advance(1000);
  loseAnswer();
  await search();
  expect(await tickets.view(one, mine.id)).toMatchObject({ state: 'matched' });
  expect([...pools.all()]).toEqual([]);
  // it counts like any other one
  expect(waits.figures(poolKey(gameId, 'duel'), clock.now())).toMatchObject({ count: 2 });
});

test('what ended without this instance hearing of it leaves its pool', async () => {
  const { submit, Tickets, pools, upkeep } = parts();
  const { id } = await submit(systemIds.id());
  const kept = await submit(systemIds.id(), strict('OC'));
  await Tickets.updateOne({ _id: id }, { $set: { state: 'cancelled', open: false } });
  await upkeep.catchUp();
  expect([...pools.all()].map((ticket) => ticket.id)).toEqual([kept.id]);
});

test('a ticket whose write took longer than changes are looked back for is found all the same', async () => {
  const [here, there] = [parts(), parts()];
  await there.upkeep.catchUp();
  const { id } = await here.submit(systemIds.id());
  // the database was frozen between the time stamp and the write
  await here.Tickets.updateOne({ _id: id }, { $set: { updatedAt: new Date(here.clock.now() - 60_000) } });
  for (let tick = 0; tick < 2; tick++) await there.upkeep.catchUp();
  expect([...there.pools.all()].map((ticket) => ticket.id)).toEqual([id]);
});

test('of many such tickets none is passed over, also where they were written at the same moment', async () => {
  const [here, there] = [parts(), parts()];
  await there.upkeep.catchUp();
  const { id } = await here.submit(systemIds.id());
  const rows = here.Tickets.collection;
  const row = await rows.findOne({ _id: new Types.ObjectId(id) });
  const stamps = [60_000, 50_000].map((ago) => new Date(here.clock.now() - ago));
  const written = Array.from({ length: 1_200 }, (_, i) => ({
    ...row,
    _id: new Types.ObjectId(),
    players: [new Types.ObjectId()],
    updatedAt: stamps[i % 7 === 0 ? 1 : 0],
  }));
  await rows.insertMany(written);
  for (let tick = 0; tick < 5; tick++) await there.upkeep.catchUp();
  expect([...there.pools.all()]).toHaveLength(1_201);
});

/** The loop over parts of which all but these fail. */
function loopOf(clock: Clock, catchUpMs: number, { search, catchUp }: { search: () => void; catchUp?: () => void }) {
  const broken = () => Promise.reject(new Error('a broken row'));
  return createMatchmakingLoop({
    tickMs: 1000,
    catchUpMs,
    upkeep: {
      openDue: broken,
      expireDue: broken,
      catchUp: catchUp ? async () => catchUp() : broken,
      restore: broken,
    },
    acceptance: { sweep: broken, accept: broken, decline: broken },
    matches: { sweep: broken } as never,
    search: async () => search(),
    status: { tell: broken } as never,
    clock,
    logger: createLogger({ level: 'silent', pretty: false }),
  });
}

test('one part of a tick that fails does not keep the search from running', async () => {
  const { clock } = parts();
  const done: string[] = [];
  clock.advance(5000);
  await loopOf(clock, 1000, { search: () => done.push('search') }).tick();
  expect(done).toEqual(['search']);
});

test('where every tick catches up, one that begins a moment early does so as well, before it searches', async () => {
  const { clock } = parts();
  const done: string[] = [];
  const loop = loopOf(clock, 1000, { search: () => done.push('search'), catchUp: () => done.push('catch up') });
  for (const passed of [999, 1002, 998]) {
    clock.advance(passed);
    await loop.tick();
  }
  expect(done).toEqual(Array.from({ length: 3 }, () => ['catch up', 'search']).flat());
});

test('what need not be caught up with in every tick is left for those in between', async () => {
  const { clock } = parts();
  let caughtUp = 0;
  const loop = loopOf(clock, 5000, { search: () => undefined, catchUp: () => (caughtUp += 1) });
  for (let tick = 0; tick < 10; tick += 1) {
    clock.advance(999);
    await loop.tick();
  }
  expect(caughtUp).toBe(2);
});
