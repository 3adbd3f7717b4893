import { Types } from 'mongoose';
import { testDatabase } from '../../../test/support/database';
import { manualClock } from '../../core/clock';
import { createGameModel, newGameFields, type GameModel } from './games.models';
import { newGame } from './games.schemas';
import { createModeCache, MODE_TTL_MS, type ModeCache } from './mode-cache';

const duel = { teams: { count: 2, size: { min: 1, max: 1 } } };

let Games: GameModel;
beforeAll(async () => {
  Games = createGameModel(await testDatabase());
});

describe('modes as two instances keep them', () => {
  const clock = manualClock();
  let gameId: string;
  let here: ModeCache;
  let there: ModeCache;
  beforeEach(async () => {
    const id = new Types.ObjectId();
    const game = newGame.parse({
      slug: `game-${id.toHexString()}`,
      name: 'Game',
      genres: ['board'],
      platforms: ['web'],
      players: { min: 2, max: 2 },
      modes: [{ key: 'duel', name: 'Duel', ruleSet: duel }],
    });
    await Games.create({ _id: id, ...newGameFields(game, clock.now()) });
    gameId = id.toHexString();
    [here, there] = [createModeCache({ Games, clock }), createModeCache({ Games, clock })];
  });

  const change = () =>
    Games.updateOne({ _id: gameId }, { $inc: { 'modes.0.version': 1 }, $set: { 'modes.0.ruleSet.backfill': true } });

  test('a mode comes with its game and its whole rule set', async () => {
    expect(await here.mode(gameId, 'duel')).toMatchObject({
      gameId,
      gameName: 'Game',
      key: 'duel',
      version: 1,
      ruleSet: { ...duel, backfill: false, ticketSeconds: 600 },
    });
    expect(await here.mode(gameId, 'ranked')).toBeNull();
    expect(await here.mode('f'.repeat(24), 'duel')).toBeNull();
  });

  test('what is known is not read again, however often it is asked for', async () => {
    const first = await here.mode(gameId, 'duel');
    await change();
    const again = await Promise.all(Array.from({ length: 100 }, () => here.mode(gameId, 'duel')));
    expect(new Set(again)).toEqual(new Set([first]));
  });

  test('the instance that hears of a change sees it at once, the other when its moment is over', async () => {
    await Promise.all([here.mode(gameId, 'duel'), there.mode(gameId, 'duel')]);
    await change();
    here.forget(gameId);
    expect((await here.mode(gameId, 'duel'))?.version).toBe(2);
    expect((await there.mode(gameId, 'duel'))?.version).toBe(1);
    clock.advance(MODE_TTL_MS);
    expect(await there.mode(gameId, 'duel')).toMatchObject({ version: 2, ruleSet: { backfill: true } });
  });

  test('what was being read when the change came is not kept', async () => {
    const before = here.mode(gameId, 'duel');
    here.forget(gameId);
    const after = await here.mode(gameId, 'duel');
    expect(after).not.toBe(await before);
    expect(await here.mode(gameId, 'duel')).toBe(after);
  });

  test('a game that was unknown is found as soon as it is there', async () => {
    const late = new Types.ObjectId();
    expect(await here.mode(late.toHexString(), 'duel')).toBeNull();
    const game = await Games.findById(gameId).lean();
    await Games.create({ ...game, _id: late, slug: `late-${late.toHexString()}` });
    expect((await here.mode(late.toHexString(), 'duel'))?.gameId).toBe(late.toHexString());
  });

  test('a stored rule set that no longer holds closes its mode, and only that', async () => {
    const broken = { key: 'broken', name: 'Broken', version: 1, ruleSet: { teams: 'two' } };
    await Games.updateOne({ _id: gameId }, { $push: { modes: broken } });
    expect(await here.mode(gameId, 'broken')).toBeNull();
    expect(await here.mode(gameId, 'duel')).not.toBeNull();
  });
});
