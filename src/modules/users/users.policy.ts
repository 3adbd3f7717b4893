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
