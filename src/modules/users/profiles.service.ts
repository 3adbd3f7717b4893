import { Types, type QueryFilter } from 'mongoose';
import type { Clock } from '../../core/clock';
import { decodeCursor, toPage, type Page } from '../../core/cursor';
import { AppError, notFound } from '../../core/errors';
import { beginsWith, searchPrefix } from '../../core/search-text';
import type { Realtime } from '../../realtime/server';
import type { GamesApi } from '../games';
import { nameFields } from './accounts.service';
import { friendshipOf, type RelationRow } from './relations.models';
import type { RelationReader } from './relations.service';
import {
  activeAt,
  toCard,
  toGameProfileView,
  toOwnProfile,
  toPublicUser,
  toSummary,
  type GameProfileRow,
  type UserModel,
  type UserRow,
} from './users.models';
import { sightOf, type Viewer } from './users.policy';
import type {
  GameProfileView,
  NewGameProfile,
  OwnProfile,
  PreferencesChange,
  ProfileChange,
  PublicUser,
  UserCard,
} from './users.schemas';

/** Profiles, as their owners keep them and as others see them. */
export interface ProfilesService {
  /** @throws NOT_FOUND */
  own(userId: string): Promise<OwnProfile>;
  change(userId: string, change: ProfileChange): Promise<OwnProfile>;
  /** @throws VALIDATION_FAILED where a preferred game is not in the catalogue */
  changePreferences(userId: string, change: PreferencesChange): Promise<OwnProfile>;
  /** @throws NOT_FOUND unknown game, CONFLICT too many */
  putGameProfile(userId: string, gameId: string, profile: NewGameProfile): Promise<GameProfileView>;
  /** @throws NOT_FOUND */
  removeGameProfile(userId: string, gameId: string): Promise<void>;
  /** @throws NOT_FOUND also where the viewer is not to know of the user */
  view(viewerId: string, userId: string): Promise<PublicUser>;
  /** Whom of these the viewer may see come and go. */
  visibleTo(viewerId: string, userIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Active users of whom a name, or a word of one, begins so; neither private ones nor those with a block between. */
  search(
    viewerId: string,
    wanted: { query: string; limit: number; cursor?: string | undefined },
  ): Promise<Page<UserCard>>;
}

export interface ProfilesDeps {
  Users: UserModel;
  relations: RelationReader;
  games: Pick<GamesApi, 'known'>;
  realtime: Pick<Realtime, 'hide'>;
  clock: Clock;
}

export const MAX_GAME_PROFILES = 50;

export function createProfilesService({ Users, relations, games, realtime, clock }: ProfilesDeps): ProfilesService {
  const read = async (userId: string): Promise<UserRow> => {
    const row = await Users.findById(userId).lean<UserRow>();
    if (!row) throw notFound('player');
    return row;
  };

  const set = async (userId: string, fields: object, filter: QueryFilter<UserRow> = {}): Promise<UserRow | null> =>
    Users.findOneAndUpdate(
      { ...filter, _id: userId },
      { $set: { ...fields, updatedAt: new Date(clock.now()) } },
      { returnDocument: 'after' },
    ).lean<UserRow>();

  const own = async (userId: string, fields: object): Promise<OwnProfile> => {
    const row = await set(userId, fields);
    if (!row) throw notFound('player');
    return toOwnProfile(row);
  };

  const write = async (userId: string, change: ProfileChange): Promise<OwnProfile> => {
    if (change.displayName === undefined) return own(userId, change);
    // the username never changes, so that the search keys follow from what is written here
    const { username } = await read(userId);
    return own(userId, { ...change, ...nameFields(username, change.displayName) });
  };

  const requireKnown = async (gameIds: readonly string[]) => {
    const known = await games.known(gameIds);
    const errors = gameIds.flatMap((id, i) =>
      known.has(id) ? [] : [{ path: `body.preferredGames.${i}`, message: 'is no game of the catalogue' }],
    );
    if (errors.length > 0)
      throw new AppError('VALIDATION_FAILED', 'A preferred game is not in the catalogue.', { errors });
  };

  return {
    own: async (userId) => toOwnProfile(await read(userId)),

    async change(userId, change) {
      const changed = await write(userId, change);
      if (change.visibility !== undefined) realtime.hide(userId);
      return changed;
    },

    async changePreferences(userId, change) {
      if (change.preferredGames) await requireKnown(change.preferredGames);
      const fields = Object.entries(change).map(([name, value]) => [`preferences.${name}`, value] as const);
      return own(userId, Object.fromEntries(fields));
    },

    async putGameProfile(userId, gameId, { inGameName, rank = null, skillLevel = null, roles }) {
      if (!(await games.known([gameId])).has(gameId)) throw notFound('game');
      const updatedAt = new Date(clock.now());
      const id = new Types.ObjectId(gameId);
      const profile: GameProfileRow = { gameId: id, inGameName, rank, skillLevel, roles, updatedAt };
      const full = `gameProfiles.${MAX_GAME_PROFILES - 1}`;
      // again where another request has added it, or removed it, between the two
      for (let tries = 0; tries < 3; tries++) {
        const replaced = await Users.updateOne(
          { _id: userId, 'gameProfiles.gameId': id },
          { $set: { 'gameProfiles.$': profile, updatedAt } },
        );
        if (replaced.matchedCount === 1) return toGameProfileView(profile);
        const added = await Users.updateOne(
          { _id: userId, 'gameProfiles.gameId': { $ne: id }, [full]: { $exists: false } },
          { $push: { gameProfiles: profile }, $set: { updatedAt } },
        );
        if (added.matchedCount === 1) return toGameProfileView(profile);
      }
      throw new AppError('CONFLICT', `You have ${MAX_GAME_PROFILES} game profiles: remove one first.`);
    },

    async removeGameProfile(userId, gameId) {
      const id = new Types.ObjectId(gameId);
      const { matchedCount } = await Users.updateOne(
        { _id: userId, 'gameProfiles.gameId': id },
        { $pull: { gameProfiles: { gameId: id } }, $set: { updatedAt: new Date(clock.now()) } },
      );
      if (matchedCount === 0) throw notFound('game profile');
    },

    async view(viewerId, userId) {
      const [row, relation] = await Promise.all([read(userId), relations.between(viewerId, userId)]);
      if (row.closing && viewerId !== userId) throw notFound('player');
      const sight = sightOf(row.visibility, viewerOf(viewerId, userId, relation));
      if (sight === 'nothing') throw notFound('player');
      return toPublicUser(row, friendshipOf(relation, viewerId), sight === 'profile');
    },

    async visibleTo(viewerId, userIds) {
      const [rows, between] = await Promise.all([
        Users.find({ _id: { $in: [...userIds] }, closing: null }, { visibility: 1 }).lean<UserRow[]>(),
        relations.of(viewerId, userIds),
      ]);
      const seen = rows.filter(({ _id, visibility }) => {
        const userId = _id.toHexString();
        return sightOf(visibility, viewerOf(viewerId, userId, between.get(userId) ?? null)) !== 'nothing';
      });
      return new Set(seen.map(({ _id }) => _id.toHexString()));
    },

    async search(viewerId, { query, limit, cursor }) {
      const prefix = searchPrefix(query);
      if (prefix === '') return { items: [], nextCursor: null };
      const hidden = (await relations.blocks([viewerId])).get(viewerId) ?? new Set<string>();
      const after = cursor === undefined ? {} : { sortName: { $gt: String(decodeCursor(cursor, ['string'])[0]) } };
      const rows = await Users.find(
        {
          ...beginsWith(prefix),
          ...after,
          ...activeAt(clock.now()),
          closing: null,
          visibility: { $ne: 'private' },
          _id: { $nin: [...hidden] },
        },
        { username: 1, displayName: 1, avatarUrl: 1, sortName: 1 },
      )
        .sort({ sortName: 1 })
        .limit(limit + 1)
        .lean<UserRow[]>();
      return toPage(
        rows,
        limit,
        (row) => toCard(toSummary(row)),
        (row) => [row.sortName],
      );
    },
  };
}

function viewerOf(viewerId: string, userId: string, relation: RelationRow | null): Viewer {
  if (viewerId === userId) return 'owner';
  if (relation?.state === 'blocked') return 'blocked';
  return relation?.state === 'friends' ? 'friend' : 'stranger';
}
