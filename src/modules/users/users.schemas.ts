import { z } from 'zod';
import { languageTag, listQuery, objectId, text, timestamp } from '../../http/schemas';
import { PLATFORMS } from '../games';

/** What clients send to and get from the users module. What is not named here neither comes in nor goes out. */

/** As the engine knows them; a test compares the two. */
export const REGIONS = ['NA', 'EU', 'AS', 'SA', 'OC', 'AF'] as const;

/** Names that would be taken for the operators of the server. */
const RESERVED = new Set(['admin', 'administrator', 'maoga', 'moderator', 'root', 'support', 'system']);

const name = text(1, 50).regex(
  /^[^\t\n\r\u200b-\u200f\u202a-\u202e\u2066-\u2069]*$/,
  'must be one line without invisible characters',
);
const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const list = <Item extends z.ZodType<string>>(item: Item, max: number) =>
  z.array(item).max(max).refine(unique, 'must not name the same twice');

/** What makes an account, for registering. */
export const accountFields = {
  email: z.string().trim().max(254).pipe(z.email('must be an e-mail address')),
  username: z
    .string()
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_.-]{2,23}$/,
      'must be 3 to 24 letters, digits, dots, hyphens or underscores, the first a letter or a digit',
    )
    .refine((value) => !RESERVED.has(value.toLowerCase()), 'is reserved: choose another one'),
  displayName: name,
};

export const visibility = z
  .enum(['public', 'friends', 'private'])
  .describe('Who sees the profile: everybody; friends, others only the name; nobody, and strangers do not find it');

const preferencesFields = {
  competitiveness: z.enum(['casual', 'balanced', 'competitive']),
  regions: list(z.enum(REGIONS), REGIONS.length).describe('None: any'),
  languages: list(languageTag, 10).describe('None: any'),
  preferredGames: list(objectId, 50).describe('Ids of games'),
};

const profileFields = {
  displayName: name,
  bio: text(0, 500),
  avatarUrl: z
    .url({ protocol: /^https$/, error: 'must be an https address' })
    .max(2048)
    .nullable(),
  platforms: list(z.enum(PLATFORMS), PLATFORMS.length),
  visibility,
  automatedLobbyMessage: text(0, 200).describe('Clients offer to say it in a new lobby; empty: nothing'),
};

const atLeastOne = (change: object): boolean => Object.values(change).some((value) => value !== undefined);
const nothing = 'send at least one field';

export const profileChange = z.strictObject(profileFields).partial().refine(atLeastOne, nothing);
export type ProfileChange = z.output<typeof profileChange>;

export const preferencesChange = z.strictObject(preferencesFields).partial().refine(atLeastOne, nothing);
export type PreferencesChange = z.output<typeof preferencesChange>;

export const gameProfileBody = z.strictObject({
  inGameName: name,
  rank: text(1, 50).optional(),
  skillLevel: z.number().int().min(1).max(100).optional(),
  roles: list(text(1, 32), 10).default([]),
});
export type NewGameProfile = z.output<typeof gameProfileBody>;

export const gameParams = z.strictObject({ gameId: objectId });
export const userParams = z.strictObject({ userId: objectId });

export const searchQuery = listQuery({ query: text(1, 50).describe('How a name, or a word of it, begins') });
export const friendsQuery = listQuery({ state: z.enum(['friends', 'incoming', 'outgoing']).optional() });
export const blocksQuery = listQuery({});

export const preferencesView = z.object(preferencesFields).meta({ id: 'Preferences' });

export const gameProfileView = z
  .object({
    gameId: objectId,
    inGameName: z.string(),
    rank: z.string().nullable(),
    skillLevel: z.number().int().nullable(),
    roles: z.array(z.string()),
    updatedAt: timestamp,
  })
  .meta({ id: 'GameProfile' });
export type GameProfileView = z.output<typeof gameProfileView>;

export const userCard = z
  .object({
    id: objectId,
    username: z.string(),
    displayName: z.string(),
    avatarUrl: z.string().nullable(),
  })
  .meta({ id: 'UserCard' });
export type UserCard = z.output<typeof userCard>;

const karma = z.number().int().describe('The sum of what those who played with them gave');

export const ownProfile = userCard
  .extend({
    ...profileFields,
    email: z.string(),
    emailVerified: z.boolean().describe('Whether the link in the mail to this address was followed'),
    role: z.enum(['player', 'moderator', 'admin']),
    karma,
    preferences: preferencesView,
    gameProfiles: z.array(gameProfileView),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'OwnProfile' });
export type OwnProfile = z.output<typeof ownProfile>;

const friendState = z.enum(['friends', 'incoming', 'outgoing']);
export type FriendState = z.output<typeof friendState>;

/** Seen by others: `profile` is null where its owner does not show it to me. */
export const publicUser = userCard
  .extend({
    friendship: friendState.nullable().describe('incoming: they asked me; outgoing: I asked them'),
    profile: z
      .object({
        bio: z.string(),
        platforms: z.array(z.string()),
        preferences: preferencesView,
        gameProfiles: z.array(gameProfileView),
        karma,
        createdAt: timestamp,
      })
      .nullable()
      .describe('null where it is not shown to me'),
  })
  .meta({ id: 'PublicUser' });
export type PublicUser = z.output<typeof publicUser>;

export const friendView = z.object({ user: userCard, state: friendState, since: timestamp }).meta({ id: 'Friend' });
export type FriendView = z.output<typeof friendView>;

export const blockView = z.object({ user: userCard, since: timestamp }).meta({ id: 'Block' });
export type BlockView = z.output<typeof blockView>;
