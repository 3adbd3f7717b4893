import { Types } from 'mongoose';
import { rate } from 'openskill';
import { NEWCOMER } from './matchmaking.policy';
import { ratingChanges } from './rating-changes';

/** Who gains and who loses by a match that not everybody played to its end, or from its beginning. */

const id = () => new Types.ObjectId();
const seat = (userId: Types.ObjectId) => ({ userId, role: null });
const [ann, bob, cid, dan, eve] = [id(), id(), id(), id(), id()] as const;
const names = new Map(
  [ann, bob, cid, dan, eve].map((each, i) => [String(each), ['ann', 'bob', 'cid', 'dan', 'eve'][i]]),
);

/** Ann and Bob against Cid and Dan. */
const pairs = { teams: [[ann, bob].map(seat), [cid, dan].map(seat)] };
/** Dan has left it, and Eve has come. */
const changed = { teams: [[ann, bob].map(seat), [cid, eve].map(seat)], left: [{ userId: dan, team: 1 }], late: [eve] };

type Match = Parameters<typeof ratingChanges>[0];
const rated = (match: Match, ranks: number[], skills = new Map<string, { mu: number; sigma: number }>()) =>
  ratingChanges(match, ranks, (userId) => skills.get(String(userId)) ?? NEWCOMER);
/** `up` or `down`, by name. */
const moves = (...args: Parameters<typeof rated>) =>
  Object.fromEntries(
    rated(...args).map(({ userId, before, after }) => [
      names.get(String(userId)),
      after.mu > before.mu ? 'up' : 'down',
    ]),
  );

describe('ratings after a match', () => {
  test('are those of openskill where everybody played all of it', () => {
    const expected = rate(
      [
        [NEWCOMER, NEWCOMER],
        [NEWCOMER, NEWCOMER],
      ].map((team) => team.map((one) => ({ ...one }))),
      {
        rank: [1, 2],
      },
    );
    expect(rated(pairs, [1, 2]).map(({ after }) => after)).toEqual(
      expected.flat().map(({ mu, sigma }) => ({ mu, sigma })),
    );
  });

  test.each<[string, Match, number[], object]>([
    [
      'who left loses with the team that they left, and who came in their place does not',
      changed,
      [1, 2],
      { ann: 'up', bob: 'up', cid: 'down', dan: 'down' },
    ],
    [
      'who left does not win with the team that they left, and who came in their place does',
      changed,
      [2, 1],
      { ann: 'down', bob: 'down', cid: 'up', eve: 'up' },
    ],
    [
      'who left, and in whose place nobody came, has the result of their team',
      { ...pairs, left: [] },
      [2, 1],
      { ann: 'down', bob: 'down', cid: 'up', dan: 'up' },
    ],
    [
      'who was removed is not rated, whether somebody came or not',
      { ...changed, removed: [dan] },
      [1, 2],
      { ann: 'up', bob: 'up', cid: 'down' },
    ],
    ['the same where nobody came', { ...pairs, removed: [dan] }, [1, 2], { ann: 'up', bob: 'up', cid: 'down' }],
  ])('%s', (_what, match, ranks, expected) => {
    expect(moves(match, ranks)).toEqual(expected);
  });

  test('a draw counts against a favourite who left, and for an underdog who came', () => {
    const strong = new Map([
      [String(dan), { mu: 40, sigma: 2 }],
      [String(eve), { mu: 40, sigma: 2 }],
    ]);
    expect(moves(changed, [1, 1], strong)).toMatchObject({ dan: 'down' });
    expect(moves(changed, [1, 1], strong)).not.toHaveProperty('eve');
    const weak = new Map([
      [String(dan), { mu: 10, sigma: 2 }],
      [String(eve), { mu: 10, sigma: 2 }],
    ]);
    expect(moves(changed, [1, 1], weak)).toMatchObject({ eve: 'up' });
    expect(moves(changed, [1, 1], weak)).not.toHaveProperty('dan');
  });

  test('who left is judged in the place of who came, not beside them', () => {
    const [, , , lost] = rated(pairs, [1, 2]);
    expect(rated(changed, [1, 2]).find(({ userId }) => userId.equals(dan))?.after).toEqual(lost?.after);
  });
});
