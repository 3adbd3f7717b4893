import { z } from 'zod';
import { limitParam, listQuery, objectId, page, text, timestamp } from '../../http/schemas';
import { ruleSetSchema } from './rule-set';

/** What admins and the catalogue file write, what lists ask for, and what everybody reads. */

/** `pc` is any desktop system, `mobile` any phone or tablet. */
export const PLATFORMS = ['pc', 'playstation', 'xbox', 'switch', 'mobile', 'web', 'vr'] as const;

/** Names that a route already has, so that no slug can hide it. */
const RESERVED_SLUGS = ['trending', 'sync'];

const kebab = (min: number, max: number) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters and digits, in groups joined by single hyphens');

export const slug = kebab(2, 64)
  .refine((value) => !RESERVED_SLUGS.includes(value), `must not be one of ${RESERVED_SLUGS.join(', ')}`)
  .refine((value) => !/^[0-9a-f]{24}$/.test(value), 'must not look like an id');
export const modeKey = kebab(1, 64);
const genre = kebab(2, 32).describe('As moba, battle-royale, co-op');
const platform = z.enum(PLATFORMS);

const unique = (values: readonly string[]): boolean => new Set(values).size === values.length;
const list = <Item extends z.ZodType<string>>(item: Item, min: number, max: number) =>
  z.array(item).min(min).max(max).refine(unique, 'must not name the same twice');

const playerRange = z
  .strictObject({ min: z.number().int().min(1).max(1000), max: z.number().int().min(2).max(1000) })
  .refine(({ min, max }) => min <= max, { path: ['max'], message: 'must be at least min' })
  .describe('How many play together, over all modes');

const facts = {
  name: text(1, 100),
  description: text(0, 1000),
  aliases: list(text(1, 50), 0, 10).describe('Other names that people search for'),
  genres: list(genre, 1, 10),
  platforms: list(platform, 1, PLATFORMS.length),
  releaseDate: z.iso.date().nullable(),
  players: playerRange,
};

const modeName = text(1, 100);
const newMode = z.strictObject({ key: modeKey, name: modeName, ruleSet: ruleSetSchema });
const newModes = z
  .array(newMode)
  .max(50)
  .superRefine((modes, context) =>
    modes.forEach(({ key }, i) => {
      if (modes.findIndex((mode) => mode.key === key) < i)
        context.addIssue({ code: 'custom', path: [i, 'key'], message: `another mode has the key ${key} already` });
    }),
  );

export const newGame = z
  .strictObject({
    ...facts,
    slug,
    description: facts.description.default(''),
    aliases: facts.aliases.default([]),
    releaseDate: facts.releaseDate.default(null),
    modes: newModes.default([]),
  })
  .meta({ id: 'NewGame' });
export type NewGame = z.output<typeof newGame>;

const basedOn = z
  .number()
  .int()
  .min(0)
  .optional()
  .describe('The version that the change is based on: refused when somebody else has changed it since');

export const gamePatch = z
  .strictObject({ ...z.strictObject(facts).partial().shape, version: basedOn })
  .refine(
    ({ version: _version, ...changes }) => Object.values(changes).some((value) => value !== undefined),
    'send at least one field to change',
  );
export type GamePatch = z.output<typeof gamePatch>;

export const modeBody = z.strictObject({
  name: modeName.optional().describe('Needed for a new mode; kept when left out'),
  ruleSet: ruleSetSchema,
  version: basedOn.describe('The version that the change is based on; 0 for a mode that must not exist yet'),
});
export type ModeBody = z.output<typeof modeBody>;

export const modeParams = z.strictObject({ id: objectId, key: modeKey });
export const gameParams = z.strictObject({ idOrSlug: z.string().max(64) });

export const gamesQuery = listQuery({
  query: text(1, 64).optional().describe('Beginning of the name, of one of its words, or of an alias'),
  genre: z.string().trim().toLowerCase().max(32).optional(),
  platform: platform.optional(),
  sort: z
    .enum(['name', 'popularity', 'releaseDate'])
    .default('name')
    .describe('A to Z, most matches first, newest first'),
});
export type GamesQuery = z.output<typeof gamesQuery>;
export const trendingQuery = z.strictObject({ limit: limitParam });

export const modeView = z
  .object({ key: z.string(), name: z.string(), ruleSet: ruleSetSchema, version: z.number().int() })
  .meta({ id: 'GameMode' });

export const gameView = z
  .object({
    id: objectId,
    slug: z.string(),
    name: z.string(),
    description: z.string(),
    aliases: z.array(z.string()),
    genres: z.array(z.string()),
    platforms: z.array(platform),
    releaseDate: z.iso.date().nullable(),
    players: z.object({ min: z.number().int(), max: z.number().int() }),
    modes: z.array(modeView),
    source: z
      .object({ provider: z.string().describe('As igdb'), id: z.string().describe('What the provider calls it') })
      .nullable()
      .describe('The external catalogue that it came from or is known in; null where it is from here only'),
    matches: z.object({
      total: z.number().int().describe('Formed here since the game was added'),
      recent: z.number().describe('The same, but each counts half as much with every week that passes'),
    }),
    version: z.number().int().describe('Counts up with every change but those of modes, which have their own'),
    createdAt: timestamp,
    updatedAt: timestamp,
  })
  .meta({ id: 'Game' });
export const gamesPage = page(gameView);

export const syncBody = z.strictObject({
  full: z
    .boolean()
    .default(false)
    .describe('Read everything again; otherwise, what has changed since the last complete synchronisation'),
});
export type SyncBody = z.output<typeof syncBody>;

export const syncView = z
  .object({
    provider: z.string(),
    state: z
      .enum(['never', 'running', 'done', 'failed'])
      .describe('`running` outlives restarts; `failed` goes on from where it was when it is started again'),
    startedAt: timestamp.nullable(),
    finishedAt: timestamp.nullable(),
    changedSince: timestamp.nullable().describe('Only what changed later is read; null: everything'),
    total: z.number().int().nullable().describe('Games to read; null while that is not known'),
    seen: z.number().int().describe('Games read so far'),
    added: z.number().int(),
    updated: z.number().int(),
    problem: z
      .object({ message: z.string(), retryAt: timestamp.nullable() })
      .nullable()
      .describe('Why it does not get on at the moment, and when it is tried again'),
  })
  .meta({ id: 'CatalogueSync' });
export type SyncView = z.output<typeof syncView>;

export type ModeView = z.output<typeof modeView>;
export type GameView = z.output<typeof gameView>;
