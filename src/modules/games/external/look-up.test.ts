import type { Connection } from 'mongoose';
import { manualClock } from '../../../core/clock';
import { systemIds } from '../../../core/ids';
import { createLogger } from '../../../core/logger';
import { createTransact } from '../../../database/transaction';
import { createMetrics } from '../../../observability/metrics';
import { createSharedMemory, type SharedMemory } from '../../../redis/shared-memory';
import { testDatabase } from '../../../../test/support/database';
import { createGameModel, type GameModel } from '../games.models';
import { createIgdb } from './igdb/igdb';
import { createImporter } from './import';
import { createLookUp, type LookUp } from './look-up';
import { standInGame, startIgdbStandIn, type IgdbStandIn } from './testing/igdb-stand-in';

/** Searches that find nothing here, over the real database layer and a server that speaks as IGDB does. */

const logger = createLogger({ level: 'silent', pretty: false });
const DAY_MS = 86_400_000;

let standIn: IgdbStandIn;
let connection: Connection;
let Games: GameModel;
let time = 1;
let memory: SharedMemory;
const lookUps: LookUp[] = [];
beforeAll(async () => {
  connection = await testDatabase();
  Games = createGameModel(connection);
});
beforeEach(async () => {
  await Games.deleteMany({});
  time = 1;
  memory = createSharedMemory(undefined, () => time);
  standIn = await startIgdbStandIn([
    standInGame({ id: 1, name: 'Quake Arena', slug: 'quake-arena' }),
    standInGame({ id: 2, name: 'The Earthquake', slug: 'the-earthquake' }),
  ]);
});
afterEach(async () => {
  for (const lookUp of lookUps.splice(0)) await lookUp.stop();
  await standIn.stop();
});

function lookUp(waitMs = 8_000): LookUp {
  const clock = manualClock();
  const catalogue = createIgdb({
    settings: standIn.settings,
    memory: { turn: async () => 0 },
    metrics: createMetrics(),
    clock,
    logger,
    times: { attemptMs: 8_000, pauseMs: 1, longestPauseMs: 2 },
  });
  const importer = createImporter({ provider: 'igdb', Games, clock, ids: systemIds });
  const made = createLookUp({ catalogue, importer, transact: createTransact(connection), memory, logger, waitMs });
  lookUps.push(made);
  return made;
}

const there = async () => (await Games.find({}, { slug: 1 }).lean()).map(({ slug }) => slug);

test('what goes by the name is taken over, and nothing else that the other side found likely', async () => {
  expect(await lookUp().find('Quake')).toBe(true);
  expect(await there()).toEqual(['quake-arena']);
});

test('a name is asked for once, by however many, whether there is something or not, for a day', async () => {
  const here = lookUp();
  expect(await Promise.all(Array.from({ length: 30 }, () => here.find('nothing like it')))).not.toContain(true);
  await here.find('Nothing, like IT!');
  await lookUp().find('nothing like it');
  expect(standIn.queries).toHaveLength(1);
  time += DAY_MS + 1;
  await here.find('nothing like it');
  expect(standIn.queries).toHaveLength(2);
});

test('two instances that look for the same at once add it once, and both find it', async () => {
  const found = await Promise.all([lookUp().find('quake'), lookUp().find('quake')]);
  expect(found).toContain(true);
  expect(await there()).toEqual(['quake-arena']);
});

test.each(['slow', 'cut', 'malformed', 500, 429, 403] as const)('%s: the search goes on without', async (way) => {
  standIn.always(way);
  expect(await lookUp(way === 'slow' ? 20 : 8_000).find('quake')).toBe(false);
  expect(await there()).toEqual([]);
});

test('a failure is not remembered as an answer', async () => {
  const here = lookUp();
  standIn.always(500);
  expect(await here.find('quake')).toBe(false);
  standIn.always(undefined);
  expect(await here.find('quake')).toBe(true);
});

test('two run, eight wait, and the rest is not looked up', async () => {
  standIn.always('slow');
  const here = lookUp(20);
  const found = await Promise.all(Array.from({ length: 30 }, (_, i) => here.find(`game number ${i}`)));
  expect(found).not.toContain(true);
  await standIn.asked(2);
  expect(standIn.mostOpen()).toBe(2);
  await here.stop();
  expect(standIn.queries).toHaveLength(2);
});

test('too short a name is not asked for, and nothing is after the end', async () => {
  const here = lookUp();
  expect(await here.find('qu')).toBe(false);
  await here.stop();
  expect(await here.find('quake')).toBe(false);
  expect(standIn.queries).toEqual([]);
});
