import { testDatabase } from '../../../test/support/database';
import { manualClock } from '../../core/clock';
import { createEventBus } from '../../core/event-bus';
import { systemIds } from '../../core/ids';
import { createGameModel, type GameModel } from './games.models';
import { createGamesService } from './games.service';
import { countMatches, type HeardEvents } from './play-counts';
import { seedGames } from './seed';

const WEEK_MS = 7 * 86_400_000;

let Games: GameModel;
const clock = manualClock();
const bus = createEventBus<HeardEvents>();
beforeAll(async () => {
  Games = createGameModel(await testDatabase());
  await seedGames({ Games, clock, ids: systemIds });
  countMatches(bus, Games, clock);
});
beforeEach(() => Games.updateMany({}, { $set: { matches: 0, trend: 0, counted: [] } }));

const formed = async (slug: string, eventId = systemIds.id()) => {
  const game = await Games.findOne({ slug }).lean();
  const payload = { matchId: systemIds.id(), gameId: game!._id.toHexString() };
  expect(await bus.publish({ eventId, type: 'match.formed', payload })).toEqual([]);
};
const service = () => createGamesService({ Games, clock });
const trending = async () =>
  (await service().trending(20)).items.map(({ slug, matches }) => [slug, matches.total, matches.recent]);

test('nothing is trending before anybody has played', async () => expect(await trending()).toEqual([]));

test('the trending list follows what was played lately, popularity all that was played', async () => {
  for (let i = 0; i < 5; i++) await formed('chess');
  clock.advance(2 * WEEK_MS);
  for (let i = 0; i < 3; i++) await formed('dota-2');
  await formed('valorant');
  expect(await trending()).toEqual([
    ['dota-2', 3, 3],
    ['chess', 5, 1.25],
    ['valorant', 1, 1],
  ]);
  const { items } = await service().list({ sort: 'popularity', limit: 3, cursor: undefined });
  expect(items.map(({ slug }) => slug)).toEqual(['chess', 'dota-2', 'valorant']);
  clock.advance(2 * WEEK_MS);
  expect(await trending()).toEqual([['dota-2', 3, 0.75]]);
});

test('a match that is told of twice counts once, matches side by side count each', async () => {
  const eventId = systemIds.id();
  await Promise.all([
    formed('chess', eventId),
    formed('chess', eventId),
    ...Array.from({ length: 20 }, () => formed('chess')),
  ]);
  await formed('chess', eventId);
  expect(await trending()).toEqual([['chess', 21, 21]]);
});
