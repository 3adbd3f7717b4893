import { Types } from 'mongoose';
import type { MatchModel, MatchRow } from './matchmaking.models';
import { createOpenSearches } from './open-searches';

test('whoever is matched while their search is looked up is found in the match, if no longer in the search', async () => {
  const userId = new Types.ObjectId();
  const match = {
    _id: new Types.ObjectId(),
    gameId: new Types.ObjectId(),
    state: 'live',
    teams: [],
    accepted: [],
    reports: [],
    ratings: [],
    livePlayers: [userId],
    createdAt: new Date(0),
    formedAt: new Date(0),
  } as unknown as MatchRow;
  let isMatched = false;
  const tickets = {
    async open() {
      await new Promise(setImmediate);
      isMatched = true;
      return new Map();
    },
  };
  const Matches = { find: () => ({ lean: async () => (isMatched ? [match] : []) }) } as unknown as MatchModel;
  const searchOf = await createOpenSearches({ tickets, Matches })([userId.toHexString()]);
  expect(searchOf(userId.toHexString())).toMatchObject({ ticket: null, match: { id: match._id.toHexString() } });
});
