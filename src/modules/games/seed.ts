import { mongo, Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { Ids } from '../../core/ids';
import catalogue from './catalogue.json';
import { newGameFields, type GameModel } from './games.models';
import { newGame, type NewGame } from './games.schemas';

/** The games that ship with the server, validated. @throws ZodError naming the place, on a fault in the file */
export const shippedGames = (): NewGame[] => newGame.array().parse(catalogue);

/**
 * Adds the shipped games whose slug is missing, and touches no other: what an admin has changed stays. The unique index
 * decides between instances that start at once; the loser adds nothing and goes on.
 * @returns how many were added
 */
export async function seedGames(deps: { Games: GameModel; clock: Clock; ids: Ids }): Promise<number> {
  const { Games, clock, ids } = deps;
  const games = shippedGames();
  const known = new Set(await Games.distinct('slug', { slug: { $in: games.map((game) => game.slug) } }));
  const missing = games.filter((game) => !known.has(game.slug));
  if (missing.length === 0) return 0;
  const rows = missing.map((game) => ({ _id: new Types.ObjectId(ids.id()), ...newGameFields(game, clock.now()) }));
  try {
    const { insertedCount } = await Games.collection.insertMany(rows, { ordered: false });
    return insertedCount;
  } catch (error) {
    if (!(error instanceof mongo.MongoBulkWriteError)) throw error;
    const faults = [error.writeErrors].flat();
    if (faults.some((fault) => fault.code !== 11000)) throw error;
    return error.insertedCount;
  }
}
