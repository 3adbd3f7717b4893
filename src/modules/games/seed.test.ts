import { testDatabase } from '../../../test/support/database';
import { manualClock } from '../../core/clock';
import { systemIds } from '../../core/ids';
import { createGameModel, type GameModel } from './games.models';
import { seedGames, shippedGames } from './seed';

let Games: GameModel;
beforeAll(async () => {
  Games = createGameModel(await testDatabase());
});
beforeEach(() => Games.deleteMany({}));

const seed = () => seedGames({ Games, clock: manualClock(), ids: systemIds });
const count = shippedGames().length;

test('every shipped game is added once, and nothing the second time', async () => {
  expect(await seed()).toBe(count);
  const before = await Games.find().sort({ slug: 1 }).lean();
  expect(await seed()).toBe(0);
  expect(await Games.find().sort({ slug: 1 }).lean()).toEqual(before);
});

test('five instances that start at once add each game once between them', async () => {
  const added = await Promise.all(Array.from({ length: 5 }, seed));
  expect(added.reduce((sum, n) => sum + n)).toBe(count);
  expect(await Games.countDocuments()).toBe(count);
  expect((await Games.distinct('slug')).length).toBe(count);
});

test('only what is missing comes back; what an admin has changed stays', async () => {
  await seed();
  await Games.updateOne({ slug: 'chess' }, { $set: { name: 'Chess, but ours', modes: [] } });
  await Games.deleteOne({ slug: 'dota-2' });
  expect(await seed()).toBe(1);
  expect(await Games.findOne({ slug: 'chess' }).lean()).toMatchObject({ name: 'Chess, but ours', modes: [] });
  expect(await Games.countDocuments({ slug: 'dota-2' })).toBe(1);
});
