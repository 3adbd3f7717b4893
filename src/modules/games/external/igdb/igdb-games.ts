import { z } from 'zod';
import { newGame, type NewGame } from '../../games.schemas';
import type { ExternalGame } from '../external-catalogue';

/** IGDB's games in our words: https://api-docs.igdb.com/#game */

export const FIELDS = [
  'name',
  'slug',
  'summary',
  'updated_at',
  'first_release_date',
  'alternative_names.name',
  'genres.slug',
  'platforms',
  'game_modes',
  'multiplayer_modes.onlinemax',
  'multiplayer_modes.onlinecoopmax',
  'multiplayer_modes.offlinemax',
  'multiplayer_modes.offlinecoopmax',
].join(',');

type Platform = NewGame['platforms'][number];

/** By IGDB's numbers. What is not here (arcade machines, home computers of the eighties) is of no use to find players for. */
const PLATFORMS: Record<Platform, number[]> = {
  pc: [6, 14, 3],
  playstation: [167, 48, 9, 8, 7, 46, 38],
  xbox: [169, 49, 12, 11],
  switch: [130, 508],
  mobile: [34, 39],
  web: [82],
  vr: [165, 390, 163, 162, 384, 385, 386, 471],
};
const platformOf = new Map(
  Object.entries(PLATFORMS).flatMap(([platform, numbers]) => numbers.map((number) => [number, platform as Platform])),
);

const GAME_MODES = { single: 1, multiplayer: 2, coOperative: 3, splitScreen: 4, massive: 5, battleRoyale: 6 };
const { single, ...TOGETHER } = GAME_MODES;

/** Whole games (no editions, no extensions) that are played together on one of our platforms. */
export const WORTH_HAVING = [
  'version_parent = null',
  'parent_game = null',
  `game_modes = (${Object.values(TOGETHER).join(',')})`,
  `platforms = (${[...platformOf.keys()].join(',')})`,
].join(' & ');

const GENRES: Record<string, string> = {
  'role-playing-rpg': 'rpg',
  'real-time-strategy-rts': 'rts',
  'turn-based-strategy-tbs': 'turn-based',
  'hack-and-slash-beat-em-up': 'hack-and-slash',
  'card-and-board-game': 'board',
  'quiz-trivia': 'trivia',
  simulator: 'simulation',
  platform: 'platformer',
  sport: 'sports',
};

/** The fields that are read, of which any but the first two may be missing. */
const game = z.object({
  id: z.number().int().positive(),
  name: z.string(),
  slug: z.string().default(''),
  summary: z.string().default(''),
  updated_at: z.number().default(0),
  first_release_date: z.number().optional(),
  alternative_names: z.array(z.object({ name: z.string() })).default([]),
  genres: z.array(z.object({ slug: z.string() })).default([]),
  platforms: z.array(z.number()).default([]),
  game_modes: z.array(z.number()).default([]),
  multiplayer_modes: z.array(z.record(z.string(), z.unknown())).default([]),
});
type IgdbGame = z.output<typeof game>;

/** A list in which each entry at least says its number: what pages are told apart by. */
export const gameList = z.array(z.looseObject({ id: z.number().int().positive() }));
export const gameCount = z.object({ count: z.number().int().min(0) });

/** @returns null for what the catalogue cannot show, such as a game without a platform of ours, or one that is not well formed */
export function toExternalGame(entry: unknown): ExternalGame | null {
  const read = game.safeParse(entry);
  if (!read.success) return null;
  const { id, updated_at } = read.data;
  const facts = newGame.safeParse(toFacts(read.data));
  return facts.success ? { id: `${id}`, changedAt: new Date(updated_at * 1000), facts: facts.data } : null;
}

function toFacts(row: IgdbGame): z.input<typeof newGame> {
  const released = row.first_release_date;
  return {
    slug: kebab(row.slug === '' ? row.name : row.slug, 48) || `game-${row.id}`,
    name: row.name.trim(),
    description: shortened(row.summary.trim(), 1000),
    aliases: unique(row.alternative_names.map(({ name }) => name.trim()))
      .filter((name) => name.length > 0 && name.length <= 50 && name !== row.name)
      .slice(0, 10),
    genres: genresOf(row),
    platforms: unique(row.platforms.flatMap((number) => platformOf.get(number) ?? [])),
    releaseDate: released === undefined ? null : new Date(released * 1000).toISOString().slice(0, 10),
    players: playersOf(row),
    modes: [],
  };
}

function genresOf({ genres, game_modes }: IgdbGame): string[] {
  const named = genres.map(({ slug }) => GENRES[slug] ?? kebab(slug, 32)).filter((genre) => genre.length > 1);
  if (game_modes.includes(GAME_MODES.battleRoyale)) named.push('battle-royale');
  if (game_modes.includes(GAME_MODES.massive)) named.push('mmo');
  return named.length === 0 ? ['other'] : unique(named).slice(0, 10);
}

/** What IGDB says of its modes; a guess where it says nothing. */
function playersOf({ multiplayer_modes, game_modes }: IgdbGame): { min: number; max: number } {
  const many = game_modes.includes(GAME_MODES.massive) || game_modes.includes(GAME_MODES.battleRoyale);
  const sizes = multiplayer_modes.flatMap(({ id: _id, ...sizes }) => Object.values(sizes)).filter(isSize);
  const max = sizes.length > 0 ? Math.max(...sizes) : many ? 100 : 2;
  return { min: game_modes.includes(single) ? 1 : 2, max: Math.min(max, 1000) };
}

const isSize = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 2;

const kebab = (words: string, most: number): string =>
  words
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, most)
    // one hyphen at most at either end
    .replaceAll(/^-|-$/g, '');

const shortened = (words: string, most: number): string =>
  words.length <= most ? words : `${wholeWords(words.slice(0, most - 1))}…`;

/** Without the last word, which may be half of one. */
const wholeWords = (text: string): string => text.slice(0, Math.max(text.lastIndexOf(' '), 1));

const unique = <Item>(items: readonly Item[]): Item[] => [...new Set(items)];
