import { z } from 'zod';
import { languageTag, objectId, text, timestamp } from '../../http/schemas';
import { teamsView, ticketState } from '../../realtime/protocol';
import { EXCLUSIONS, REGIONS } from './engine';

/** What clients send to and get from matchmaking. */

const preference = z.enum(['strict', 'preferred', 'any']);
const modeKey = z.string().min(1).max(64);
const weight = z.number().int().min(1).max(10);

const games = z
  .array(z.strictObject({ gameId: objectId, mode: modeKey, weight: weight.default(5) }))
  .min(1)
  .max(5)
  .refine(
    (choices) => new Set(choices.map((choice) => `${choice.gameId}:${choice.mode}`)).size === choices.length,
    'must not name a mode twice',
  );

const groupSize = z
  .strictObject({ min: z.number().int().min(1).max(200), max: z.number().int().min(1).max(200) })
  .refine((size) => size.max >= size.min, { path: ['max'], message: 'must be at least min' });

const wishes = {
  groupSize: groupSize
    .nullable()
    .describe('Players in the match, you and your party included; null: as the mode likes'),
  regions: z.array(z.enum(REGIONS)).max(REGIONS.length).describe('None: any. Default: your preferences'),
  regionPreference: preference,
  languages: z.array(languageTag).max(10).describe('None: any. Default: your preferences'),
  languagePreference: preference,
  skillPreference: z.enum(['similar', 'any']),
  roles: z.array(text(1, 32)).max(10).describe('What each of you would play; none: any'),
  latencies: z.partialRecord(z.enum(REGIONS), z.number().min(0).max(10_000)).describe('Round trips in ms'),
  expiresInSeconds: z.number().int().min(30).max(86_400),
};

const defaults = {
  groupSize: wishes.groupSize.default(null),
  regions: wishes.regions.optional(),
  regionPreference: preference.default('preferred'),
  languages: wishes.languages.optional(),
  languagePreference: preference.default('any'),
  skillPreference: wishes.skillPreference.default('similar'),
  roles: wishes.roles.default([]),
  latencies: wishes.latencies.default({}),
  scheduledFor: timestamp.optional().describe('Begin searching then: now to 7 days ahead'),
  expiresInSeconds: wishes.expiresInSeconds.optional(),
};

export const submitBody = z.strictObject({ games, ...defaults }).meta({ id: 'TicketRequest' });
export type TicketRequest = z.output<typeof submitBody>;

/** A lobby searches in its own mode unless it names others. */
export const queueBody = z.strictObject({ games: games.optional(), ...defaults });
export type LobbyTicketRequest = z.output<typeof queueBody>;

const { groupSize: _groupSize, scheduledFor: _scheduledFor, ...seatWishes } = defaults;

/** A lobby looks for players for its own mode, and for as many as it has seats. */
export const fillBody = z.strictObject(seatWishes);
export type LobbyFillRequest = z.output<typeof fillBody>;

export const changeBody = z
  .strictObject({ games, ...wishes })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');
export type TicketChange = z.output<typeof changeBody>;

export const resultBody = z
  .union([
    z.strictObject({ winner: z.union([z.number().int().min(0).max(19), z.literal('draw')]) }),
    z.strictObject({ placement: z.array(z.number().int().min(1).max(20)).min(2).max(20) }),
    z.strictObject({ completed: z.boolean() }),
  ])
  .describe('Versus: the index of the winning team, `draw`, or the place of each team. Co-op: whether you made it.')
  .meta({ id: 'MatchResult' });
export type ResultReport = z.output<typeof resultBody>;

export const matchEvent = z.strictObject({ matchId: objectId });
export const ticketEvent = z.strictObject({ ticketId: objectId });

export const ticketView = z
  .object({
    id: objectId,
    state: ticketState,
    players: z.array(objectId),
    submittedBy: objectId,
    lobbyId: objectId.nullable(),
    backfillOf: objectId.nullable().describe('The live match for which it seeks players in place of those who left'),
    fillsLobby: z.boolean().describe('Whether it seeks players for the free seats of `lobbyId`'),
    games: z.array(z.object({ gameId: objectId, mode: z.string(), weight: z.number() })),
    groupSize: z.object({ min: z.number(), max: z.number() }).nullable(),
    regions: z.array(z.string()),
    regionPreference: preference,
    languages: z.array(z.string()),
    languagePreference: preference,
    skillPreference: wishes.skillPreference,
    roles: z.array(z.string()),
    latencies: z.record(z.string(), z.number()),
    scheduledFor: timestamp.nullable(),
    queuedAt: timestamp.nullable(),
    expiresAt: timestamp,
    createdAt: timestamp,
    endedAt: timestamp.nullable(),
    waitedMs: z.number(),
    estimatedWaitMs: z.number().nullable().describe('From the waits of the last hour; null without any'),
    matchId: objectId.nullable(),
    reason: z.string().nullable(),
    revision: z.number().int(),
  })
  .meta({ id: 'Ticket' });
export type TicketView = z.infer<typeof ticketView>;

export const poolView = z
  .object({
    gameId: objectId,
    mode: z.string(),
    depth: z.number().int().describe('Tickets searching now'),
    players: z.number().int(),
    waitMs: z
      .object({
        p50: z.number(),
        p90: z.number(),
        p95: z.number(),
        sample: z
          .number()
          .int()
          .describe('Tickets that these rest on: those matched in the last hour, a thousand at most'),
      })
      .nullable(),
  })
  .meta({ id: 'Pool' });
export type PoolView = z.infer<typeof poolView>;

export const currentView = z.object({ ticket: ticketView.nullable(), pools: z.array(poolView) });
export const poolsQuery = z.strictObject({ gameId: objectId.optional(), mode: modeKey.optional() });

const exclusion = z.enum(EXCLUSIONS);

export const explanationView = z
  .object({
    ticketId: objectId,
    state: ticketState,
    pools: z.array(
      z.object({
        gameId: objectId,
        mode: z.string(),
        candidates: z.number().int().describe('Other tickets searching in the pool'),
        examined: z.number().int().describe('How many of them, nearest in rating, the counts below rest on'),
        compatible: z.number().int().describe('Those that no rule keeps apart from yours'),
        excludedBy: z.record(exclusion, z.number().int()).describe('How many candidates each rule excludes'),
        nearestMisses: z
          .array(
            z.object({
              rules: z.array(exclusion).describe('What keeps it apart'),
              distance: z.number().describe('Difference of ratings'),
              excess: z.number().describe('By how much that is too far; 0 where it is not'),
              waitedMs: z.number(),
            }),
          )
          .describe('The candidates that least is missing for'),
        nextExpansion: z
          .object({ at: timestamp, admits: z.number().int() })
          .nullable()
          .describe('When waiting widens what is accepted next, and how many more candidates that admits'),
        opensAt: timestamp
          .nullable()
          .describe('When your search enters this pool; until then a favourite has precedence'),
        players: z
          .object({ min: z.number().int(), max: z.number().int(), available: z.number().int() })
          .describe('Players a match takes, and how many there are with the compatible candidates and you'),
        relaxation: z.number(),
        eta: z
          .object({
            ms: z.number(),
            basis: z.enum(['recent_waits', 'next_expansion']),
            sample: z.number().int().nullable().describe('Tickets that it rests on'),
          })
          .nullable(),
      }),
    ),
  })
  .meta({ id: 'TicketExplanation' });
export type ExplanationView = z.infer<typeof explanationView>;

const skill = z.object({ mu: z.number(), sigma: z.number() });
const outcome = z.object({ ranks: z.array(z.number().int()).nullable(), completed: z.boolean().nullable() });

export const matchView = z
  .object({
    id: objectId,
    gameId: objectId,
    gameName: z.string(),
    mode: z.string(),
    ruleSetVersion: z.number().int(),
    state: z.enum(['proposed', 'live', 'completed', 'abandoned', 'fellThrough']),
    playerCount: z.number().int(),
    teams: teamsView.describe('Empty until everybody has accepted'),
    quality: z.number(),
    region: z.string().nullable(),
    lobbyId: objectId.nullable(),
    acceptBy: timestamp.nullable(),
    acceptedCount: z.number().int(),
    youAccepted: z.boolean(),
    reports: z.array(z.object({ userId: objectId, outcome })),
    outcome: outcome.nullable(),
    ratings: z.array(z.object({ userId: objectId, before: skill, after: skill })),
    endReason: z.string().nullable(),
    createdAt: timestamp,
    formedAt: timestamp.nullable(),
    endedAt: timestamp.nullable(),
  })
  .meta({ id: 'Match' });
export type MatchView = z.infer<typeof matchView>;
