import { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import { inRounds } from '../../core/rounds';
import type { GameModel } from './games.models';
import { trendWeight } from './games.policy';

/** What the module hears of matchmaking. That module imports this one, so its fact is described here once more. */
export interface HeardEvents extends Record<string, object> {
  'match.formed': { matchId: string; gameId: string };
}

/** So many event ids are remembered per game. A fact is told again within seconds, if at all. */
const REMEMBERED = 500;

/** Counts the matches of each game, for `sort=popularity` and the trending list: one conditional update per game and round. */
export function countMatches(bus: EventBus<HeardEvents>, Games: GameModel, clock: Clock): void {
  const count = inRounds<{ eventId: string; gameId: string }, void>(async (matches) => {
    const byGame = new Map<string, string[]>();
    for (const { eventId, gameId } of matches) byGame.set(gameId, [...(byGame.get(gameId) ?? []), eventId]);
    const weight = trendWeight(clock.now());
    await Games.collection.bulkWrite([...byGame].map(([gameId, eventIds]) => counting(gameId, eventIds, weight)));
    return [];
  });
  bus.on('match.formed', ({ eventId, payload }) => count({ eventId, gameId: payload.gameId }));
}

/** Counts those that are not among the remembered ones. */
function counting(gameId: string, eventIds: string[], weight: number) {
  const fresh = { $setDifference: [eventIds, '$counted'] };
  return {
    updateOne: {
      filter: { _id: new Types.ObjectId(gameId) },
      update: [
        {
          $set: {
            matches: { $add: ['$matches', { $size: fresh }] },
            trend: { $add: ['$trend', { $multiply: [{ $size: fresh }, weight] }] },
            counted: { $slice: [{ $concatArrays: ['$counted', fresh] }, -REMEMBERED] },
          },
        },
      ],
    },
  };
}
