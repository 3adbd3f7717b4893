import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import { plain, searchKeys } from '../../core/search-text';
import type { GameMode } from './games.api';
import { recentMatches } from './games.policy';
import type { GameView, NewGame } from './games.schemas';
import { ruleSetSchema, type RuleSet } from './rule-set';

/** Rows of the catalogue, and how they read outside. */

export interface ModeRow {
  key: string;
  name: string;
  ruleSet: RuleSet;
  version: number;
}

export interface GameSource {
  provider: string;
  /** What the provider calls it. */
  id: string;
  /** When the provider last changed what we took. */
  changedAt: Date;
  /**
   * The version of the game that the provider wrote. While the game is at that version its facts follow the provider; once
   * somebody here has changed them, they stay. 0: they were ours from the beginning.
   */
  version: number;
}

export interface GameRow {
  _id: Types.ObjectId;
  slug: string;
  name: string;
  /** Derived from the names, for order and search. */
  sortName: string;
  searchKeys: string[];
  aliases: string[];
  description: string;
  genres: string[];
  platforms: GameView['platforms'];
  /** YYYY-MM-DD; empty when unknown, so that it sorts as the oldest. */
  releaseDate: string;
  players: { min: number; max: number };
  modes: ModeRow[];
  version: number;
  /** Matches formed, and their decaying sum: see `trendWeight`. */
  matches: number;
  trend: number;
  /** Event ids of the last matches counted, so that a fact told twice counts once. */
  counted: string[];
  /** Where its facts come from; missing where that is us. */
  source?: GameSource;
  createdAt: Date;
  updatedAt: Date;
}

export type GameModel = ReturnType<typeof createGameModel>;

export function createGameModel(connection: Connection) {
  const mode = new Schema<ModeRow>(
    {
      key: { type: String, required: true },
      name: { type: String, required: true },
      ruleSet: { type: Schema.Types.Mixed, required: true },
      version: { type: Number, required: true },
    },
    { _id: false, minimize: false },
  );
  const source = new Schema<GameSource>(
    {
      provider: { type: String, required: true },
      id: { type: String, required: true },
      changedAt: { type: Date, required: true },
      version: { type: Number, required: true },
    },
    { _id: false },
  );
  const schema = new Schema<GameRow>(
    {
      slug: { type: String, required: true },
      name: { type: String, required: true },
      sortName: { type: String, required: true },
      searchKeys: [String],
      aliases: [String],
      description: { type: String, default: '' },
      genres: [String],
      platforms: [String],
      releaseDate: { type: String, default: '' },
      players: { min: { type: Number, required: true }, max: { type: Number, required: true } },
      modes: [mode],
      version: { type: Number, required: true },
      matches: { type: Number, required: true },
      trend: { type: Number, required: true },
      counted: [String],
      source: { type: source, required: false },
      createdAt: { type: Date, required: true },
      updatedAt: { type: Date, required: true },
    },
    { versionKey: false, minimize: false, collection: 'games' },
  );
  schema.index({ slug: 1 }, { name: 'slug', unique: true });
  schema.index({ searchKeys: 1 }, { name: 'search' });
  schema.index({ sortName: 1, _id: 1 }, { name: 'by_name' });
  schema.index({ genres: 1, sortName: 1, _id: 1 }, { name: 'genre_name' });
  schema.index({ platforms: 1, sortName: 1, _id: 1 }, { name: 'platform_name' });
  schema.index({ matches: -1, _id: 1 }, { name: 'by_popularity' });
  schema.index({ releaseDate: -1, _id: 1 }, { name: 'by_release' });
  schema.index({ trend: -1, _id: 1 }, { name: 'by_trend' });
  schema.index(
    { 'source.provider': 1, 'source.id': 1 },
    { name: 'source', unique: true, partialFilterExpression: { 'source.id': { $exists: true } } },
  );
  describeData(schema, {
    what: 'The catalogue of games',
    why: 'To have something to play',
    kept: 'For good: it is about nobody',
  });
  return connection.model('Game', schema);
}

/** Every field a reader may need: not the search keys, not the ids counted. */
export const SHOWN = { searchKeys: 0, counted: 0 } as const;

/** The fields that follow from a game's names. */
export const nameFields = (name: string, aliases: readonly string[]) => ({
  sortName: plain(name),
  searchKeys: searchKeys([name, ...aliases]),
});

/** A game that nobody has played yet. */
export function newGameFields(game: NewGame, now: number): Omit<GameRow, '_id'> {
  return {
    ...game,
    ...nameFields(game.name, game.aliases),
    releaseDate: game.releaseDate ?? '',
    modes: game.modes.map((mode) => ({ ...mode, version: 1 })),
    version: 1,
    matches: 0,
    trend: 0,
    counted: [],
    createdAt: new Date(now),
    updatedAt: new Date(now),
  };
}

/** @param now ms, for what the trend is worth today */
export function toGameView(row: GameRow, now: number): GameView {
  return {
    id: row._id.toHexString(),
    slug: row.slug,
    name: row.name,
    description: row.description,
    aliases: row.aliases,
    genres: row.genres,
    platforms: row.platforms,
    releaseDate: row.releaseDate === '' ? null : row.releaseDate,
    players: row.players,
    modes: row.modes.flatMap(readMode),
    source: row.source ? { provider: row.source.provider, id: row.source.id } : null,
    matches: { total: row.matches, recent: recentMatches(row.trend, now) },
    version: row.version,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

/**
 * A mode as today's rules read it: what an older server stored gets the defaults of rules that came since. A rule set that
 * is no longer valid closes its mode until an admin writes it again; it must not take the catalogue down.
 */
function readMode(mode: ModeRow): ModeRow[] {
  const { success, data } = ruleSetSchema.safeParse(mode.ruleSet);
  return success ? [{ ...mode, ruleSet: data }] : [];
}

/** The modes of a game for matchmaking. */
export function toGameModes(game: Pick<GameRow, '_id' | 'name' | 'slug' | 'modes'>): GameMode[] {
  const named = { gameId: game._id.toHexString(), gameName: game.name, gameSlug: game.slug };
  return game.modes
    .flatMap(readMode)
    .map(({ key, name, ruleSet, version }) => ({ ...named, key, name, ruleSet, version }));
}
