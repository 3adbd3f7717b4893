import { Schema, type Connection, type Types } from 'mongoose';
import { describeData } from '../../database/personal-data';
import type { Region, Ticket } from './engine';

/** Rows of tickets, matches and ratings. Written by conditional updates only, whose counts are checked. */

export const OPEN_STATES = ['scheduled', 'queued', 'proposed'] as const;
export type TicketState = (typeof OPEN_STATES)[number] | 'matched' | 'cancelled' | 'expired';

export interface Skill {
  mu: number;
  sigma: number;
}

export interface Backfill {
  matchId: Types.ObjectId | null;
  teams: number[];
  roles: (string | null)[];
  gone: string[];
}

export interface TicketRow {
  _id: Types.ObjectId;
  submittedBy: Types.ObjectId;
  players: Types.ObjectId[];
  /** Set when a lobby's host queued the lobby. */
  lobbyId: Types.ObjectId | null;
  /** Of the lobby when it was queued: later changes of who is in it end the search. */
  lobbyVersion: number | null;
  /**
   * Set where those who are left of a live match, or the members of a player's lobby, search for others to come to them: the
   * match (null: the lobby begins one), in which team and role each of `players` sits, and who does not come: whoever has left, or
   * was removed. Absent in tickets that are older than this field.
   */
  backfill?: Backfill | null;
  /** `skills` are the players' ratings in that mode, in the order of `players`: nobody's rating changes while they search. */
  games: { gameId: Types.ObjectId; mode: string; weight: number; skills: Skill[] }[];
  /** Keys of the pools it stands in. */
  pools: string[];
  groupSize: { min: number; max: number } | null;
  regions: Region[];
  regionPreference: Ticket['regionPreference'];
  languages: string[];
  languagePreference: Ticket['languagePreference'];
  skillPreference: Ticket['skillPreference'];
  roles: string[];
  latencies: Partial<Record<Region, number>>;
  state: TicketState;
  /** True in the open states; what the partial indexes stand on. */
  open: boolean;
  /** Counts up with every write: a commit names the revision that it saw. */
  revision: number;
  /** Waiting is counted from here; credit moves it back. Null until it is queued for the first time. */
  queuedAt: Date | null;
  scheduledFor: Date | null;
  expiresAt: Date;
  matchId: Types.ObjectId | null;
  /** Why it ended. */
  reason: string | null;
  createdAt: Date;
  updatedAt: Date;
  endedAt: Date | null;
}

export type MatchState = 'proposed' | 'live' | 'completed' | 'abandoned' | 'fellThrough';

/** What came of a match: a rank for each team (1 is best, equal ranks drew), or whether a co-op group made it. */
export interface Outcome {
  ranks: number[] | null;
  completed: boolean | null;
}

export interface MatchRow {
  _id: Types.ObjectId;
  gameId: Types.ObjectId;
  gameName: string;
  mode: string;
  ruleSetVersion: number;
  state: MatchState;
  live: boolean;
  players: Types.ObjectId[];
  /** Who cannot be in another match: all players until it ends, less those who left it. */
  livePlayers: Types.ObjectId[];
  /**
   * Who left it and sits in no team any more, because somebody else came, and the team they left. Absent where nobody did, and
   * likewise below.
   */
  left?: { userId: Types.ObjectId; team: number }[];
  /** Whom the host removed: no result counts for them. */
  removed?: Types.ObjectId[];
  /** Who came in place of others when it had begun. */
  late?: Types.ObjectId[];
  /** How often those who are left have searched for others: no other meaning than that this and leaving collide. */
  backfills?: number;
  teams: { userId: Types.ObjectId; role: string | null }[][];
  tickets: { ticketId: Types.ObjectId; userIds: Types.ObjectId[]; waitedMs: number }[];
  quality: number;
  /** The predicted chance of each team to win; null for a co-op group. Compared with results by the calibration report. */
  chances: number[] | null;
  region: Region | null;
  lobbyId: Types.ObjectId | null;
  acceptBy: Date | null;
  accepted: Types.ObjectId[];
  /** Who has to agree on the result: taken from the rule set that made the match. */
  agreement: 'majority' | 'host';
  reports: { userId: Types.ObjectId; outcome: Outcome; at: Date }[];
  outcome: Outcome | null;
  ratings: { userId: Types.ObjectId; before: Skill; after: Skill }[];
  endReason: string | null;
  createdAt: Date;
  /** When it went live; null for a proposal. */
  formedAt: Date | null;
  endedAt: Date | null;
  /** Proposals that fell through are not kept. */
  discardAt: Date | null;
}

export interface RatingRow extends Skill {
  _id: Types.ObjectId;
  userId: Types.ObjectId;
  gameId: Types.ObjectId;
  mode: string;
  matches: number;
  updatedAt: Date;
}

const KEEP_ENDED_TICKETS_SECONDS = 7 * 86_400;
const { ObjectId, Mixed } = Schema.Types;

export function createTicketModel(connection: Connection) {
  const schema = new Schema<TicketRow>(
    {
      submittedBy: { type: ObjectId, required: true },
      players: { type: [ObjectId], required: true },
      lobbyId: { type: ObjectId, default: null },
      lobbyVersion: { type: Number, default: null },
      backfill: { type: Mixed, default: null },
      games: { type: Mixed, required: true },
      pools: { type: [String], required: true },
      groupSize: { type: Mixed, default: null },
      regions: { type: [String], required: true },
      regionPreference: { type: String, required: true },
      languages: { type: [String], required: true },
      languagePreference: { type: String, required: true },
      skillPreference: { type: String, required: true },
      roles: { type: [String], required: true },
      latencies: { type: Mixed, required: true },
      state: { type: String, required: true },
      open: { type: Boolean, required: true },
      revision: { type: Number, required: true },
      queuedAt: { type: Date, default: null },
      scheduledFor: { type: Date, default: null },
      expiresAt: { type: Date, required: true },
      matchId: { type: ObjectId, default: null },
      reason: { type: String, default: null },
      createdAt: { type: Date, required: true },
      updatedAt: { type: Date, required: true },
      endedAt: { type: Date, default: null },
    },
    { versionKey: false, minimize: false, collection: 'tickets' },
  );
  const open = { partialFilterExpression: { open: true } };
  schema.index({ players: 1 }, { name: 'one_open_per_player', unique: true, ...open });
  schema.index({ players: 1, createdAt: -1 }, { name: 'player_history' });
  schema.index({ state: 1, pools: 1 }, { name: 'state_pools' });
  schema.index({ updatedAt: 1, _id: 1 }, { name: 'open_changes', ...open });
  schema.index({ expiresAt: 1 }, { name: 'open_expiry', ...open });
  schema.index({ lobbyId: 1 }, { name: 'open_lobby', ...open });
  schema.index({ scheduledFor: 1 }, { name: 'scheduled_due', partialFilterExpression: { state: 'scheduled' } });
  schema.index({ endedAt: 1 }, { name: 'ended_ttl', expireAfterSeconds: KEEP_ENDED_TICKETS_SECONDS });
  describeData(schema, {
    what: 'Searches: games and what was asked for, skill, region, latencies',
    why: 'To find people to play with',
    kept: '7 days after it ended',
    shared: 'players',
    alsoIn: ['backfill.gone'],
    show: ({ backfill: _backfill, ...row }) => row,
  });
  return connection.model('Ticket', schema);
}

export function createMatchModel(connection: Connection) {
  const schema = new Schema<MatchRow>(
    {
      gameId: { type: ObjectId, required: true },
      gameName: { type: String, required: true },
      mode: { type: String, required: true },
      ruleSetVersion: { type: Number, required: true },
      state: { type: String, required: true },
      live: { type: Boolean, required: true },
      players: { type: [ObjectId], required: true },
      livePlayers: { type: [ObjectId], required: true },
      left: { type: Mixed },
      removed: { type: [ObjectId], default: undefined },
      late: { type: [ObjectId], default: undefined },
      backfills: Number,
      teams: { type: Mixed, required: true },
      tickets: { type: Mixed, required: true },
      quality: { type: Number, required: true },
      chances: { type: Mixed, default: null },
      region: { type: String, default: null },
      lobbyId: { type: ObjectId, default: null },
      acceptBy: { type: Date, default: null },
      accepted: { type: [ObjectId], required: true },
      agreement: { type: String, required: true },
      reports: { type: Mixed, required: true },
      outcome: { type: Mixed, default: null },
      ratings: { type: Mixed, required: true },
      endReason: { type: String, default: null },
      createdAt: { type: Date, required: true },
      formedAt: { type: Date, default: null },
      endedAt: { type: Date, default: null },
      discardAt: { type: Date, default: null },
    },
    { versionKey: false, minimize: false, collection: 'matches' },
  );
  const live = { partialFilterExpression: { live: true } };
  schema.index({ livePlayers: 1 }, { name: 'one_live_per_player', unique: true, ...live });
  schema.index({ players: 1, formedAt: -1, _id: -1 }, { name: 'player_history' });
  schema.index({ formedAt: 1, _id: 1 }, { name: 'live_age', ...live });
  schema.index({ formedAt: -1 }, { name: 'formed' });
  schema.index({ acceptBy: 1 }, { name: 'proposed_due', partialFilterExpression: { state: 'proposed' } });
  schema.index({ discardAt: 1 }, { name: 'discard_ttl', expireAfterSeconds: 0 });
  describeData(schema, {
    what: 'Matches: who played, teams, reported results, changes of ratings',
    why: 'For the history of everybody who played, and to improve the rules',
    kept: 'For good; without those who deleted their account',
    shared: 'players',
    // what others have reported, and how they are rated, is theirs
    show: (row, userId) => {
      const mine = (field: string) =>
        (row[field] as { userId: Types.ObjectId }[]).filter((item) => item.userId.toHexString() === userId);
      const { removed: _removed, left: _left, ...shown } = row;
      return { ...shown, reports: mine('reports'), ratings: mine('ratings') };
    },
  });
  return connection.model('Match', schema);
}

export function createRatingModel(connection: Connection) {
  const schema = new Schema<RatingRow>(
    {
      userId: { type: ObjectId, required: true },
      gameId: { type: ObjectId, required: true },
      mode: { type: String, required: true },
      mu: { type: Number, required: true },
      sigma: { type: Number, required: true },
      matches: { type: Number, required: true },
      updatedAt: { type: Date, required: true },
    },
    { versionKey: false, collection: 'ratings' },
  );
  schema.index({ userId: 1, gameId: 1, mode: 1 }, { name: 'user_mode', unique: true });
  describeData(schema, {
    what: 'Ratings, one for each mode that somebody played',
    why: 'For even matches',
    kept: 'As long as the account',
    owner: 'userId',
  });
  return connection.model('Rating', schema);
}

export type TicketModel = ReturnType<typeof createTicketModel>;
export type MatchModel = ReturnType<typeof createMatchModel>;
export type RatingModel = ReturnType<typeof createRatingModel>;
