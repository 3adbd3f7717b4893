import type { Clock } from '../../core/clock';
import type { EventBus } from '../../core/event-bus';
import type { GameModel } from './games.models';
import { trendWeight } from './games.policy';

/** What the module hears of matchmaking. That module imports this one, so its fact is described here once more. */
export interface HeardEvents extends Record<string, object> {
  'match.formed': { matchId: string; gameId: string };
}

/** So many event ids are remembered per game. A fact is told again within seconds, if at all. */
const REMEMBERED = 100;

/** Counts the matches of each game, for `sort=popularity` and the trending list: one conditional update per match. */
export function countMatches(bus: EventBus<HeardEvents>, Games: GameModel, clock: Clock): void {
  bus.on('match.formed', async ({ eventId, payload }) => {
    await Games.updateOne(
      { _id: payload.gameId, counted: { $ne: eventId } },
      {
        $inc: { matches: 1, trend: trendWeight(clock.now()) },
        $push: { counted: { $each: [eventId], $slice: -REMEMBERED } },
      },
    );
  });
}
