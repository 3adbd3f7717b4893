import { rate } from 'openskill';
import type { MatchRow, Skill } from './matchmaking.models';

type Rated = MatchRow['ratings'][number];
type UserId = Rated['userId'];
type SkillOf = (userId: UserId) => Skill;

/**
 * What a versus match does to ratings (Weng-Lin, by openskill). Pure. Two rules for those who did not play all of it, so that leaving
 * is never better than staying, and helping out never costs anything:
 *
 * - Whoever left, and in whose place somebody came, is rated with the team they left, unless they would gain by it.
 * - Whoever came in place of somebody is rated with the team they joined, unless they would lose by it.
 *
 * Whoever was removed by the host is not rated.
 *
 * @param ranks of the teams; 1 is best, equal ranks drew
 * @returns only whose rating changes
 */
export function ratingChanges(
  { teams, left = [], late = [], removed = [] }: Pick<MatchRow, 'teams' | 'left' | 'late' | 'removed'>,
  ranks: readonly number[],
  skillOf: SkillOf,
): Rated[] {
  const members = teams.map((team) => team.map(({ userId }) => userId));
  const isLate = isAmong(late);
  const stayed = ratedIn(members, ranks, skillOf).filter((change) => !isLate(change.userId) || gainOf(change) >= 0);
  const gone = left.flatMap(({ userId, team }) => {
    const before = members.map((ids, t) => (t === team ? withBack(ids, userId, isLate) : ids));
    return ratedIn(before, ranks, skillOf).filter((change) => change.userId.equals(userId) && gainOf(change) <= 0);
  });
  const isRemoved = isAmong(removed);
  return [...stayed, ...gone].filter(({ userId }) => !isRemoved(userId));
}

const isAmong =
  (ids: readonly UserId[]) =>
  (userId: UserId): boolean =>
    ids.some((id) => id.equals(userId));

const gainOf = ({ before, after }: Rated): number => after.mu - before.mu;

/** The team with who left it in the place of somebody who came later. */
function withBack(members: readonly UserId[], userId: UserId, isLate: (userId: UserId) => boolean): UserId[] {
  const instead = members.findIndex(isLate);
  return [...members.filter((_, i) => i !== instead), userId];
}

function ratedIn(teams: readonly (readonly UserId[])[], ranks: readonly number[], skillOf: SkillOf): Rated[] {
  const before = teams.map((team) => team.map((userId) => ({ userId, ...plain(skillOf(userId)) })));
  const after = rate(
    before.map((team) => team.map(plain)),
    { rank: [...ranks] },
  );
  return before.flatMap((team, t) =>
    team.flatMap(({ userId, ...skill }, p) => {
      const rated = after[t]?.[p];
      return rated ? { userId, before: skill, after: plain(rated) } : [];
    }),
  );
}

const plain = ({ mu, sigma }: Skill): Skill => ({ mu, sigma });
