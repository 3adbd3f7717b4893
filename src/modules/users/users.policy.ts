import { AppError } from '../../core/errors';
import type { Account } from './users.api';
import type { OwnProfile } from './users.schemas';

/** How much of a user another one gets to see. */
export type Sight = 'profile' | 'card' | 'nothing';
export type Viewer = 'owner' | 'friend' | 'stranger' | 'blocked';

const SIGHT: Record<OwnProfile['visibility'], Record<Exclude<Viewer, 'owner' | 'blocked'>, Sight>> = {
  public: { friend: 'profile', stranger: 'profile' },
  friends: { friend: 'profile', stranger: 'card' },
  private: { friend: 'card', stranger: 'nothing' },
};

/** A block hides both from each other, whoever set it. */
export function sightOf(visibility: OwnProfile['visibility'], viewer: Viewer): Sight {
  if (viewer === 'owner') return 'profile';
  return viewer === 'blocked' ? 'nothing' : SIGHT[visibility][viewer];
}

/** Whoever is suspended or banned is told so, and until when. @throws ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
export function requireGoodStanding({ status, bar }: Pick<Account, 'status' | 'bar'>): void {
  if (status === 'active') return;
  const because = bar?.reason ? `: ${bar.reason}` : '';
  if (status === 'banned') throw new AppError('ACCOUNT_BANNED', `The account is banned${because}`);
  const until = bar?.until ?? undefined;
  const end = until === undefined ? '' : ` until ${until}`;
  throw new AppError('ACCOUNT_SUSPENDED', `The account is suspended${end}${because}`, until ? { until } : {});
}
