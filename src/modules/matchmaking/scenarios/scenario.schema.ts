import { z } from 'zod';
import { ruleSetSchema } from '../../games';
import { EXCLUSIONS, REGIONS } from '../engine';

/**
 * Scenario files: tickets, and the matches that the rules should make of them. All times are seconds since the beginning of the
 * scenario, or of waiting. Written by people, so whatever can be left out has a default, and every fault is named by its path.
 */

const name = z.string().min(1).max(64);
const seconds = z.number().min(0).max(604_800);
const preference = z.enum(['strict', 'preferred', 'any']);
const mu = z.number().min(-1000).max(1000);
const sigma = z.number().min(0).max(1000);
const role = z.string().min(1).max(32);
const names = z.array(name).max(1000);

const ruleSource = z
  .union([
    z.string().regex(/^[^/\s]+\/[^/\s]+$/, 'must name a game and a mode of the catalogue, as "chess/blitz"'),
    z.strictObject({ file: z.string().min(1).describe('A rule set in a file of its own, relative to this one') }),
    ruleSetSchema,
  ])
  .describe('A mode of the shipped catalogue, {"file": …}, or a rule set');
export type RuleSource = z.output<typeof ruleSource>;

const player = z.strictObject({ mu: mu.optional(), sigma: sigma.optional(), roles: z.array(role).optional() });

const ticket = z
  .strictObject({
    mu: mu.default(25),
    sigma: sigma.default(25 / 6).describe('Uncertainty of the rating; a settled one unless it is given'),
    roles: z.array(role).default([]).describe('Roles that the players would take; none: any'),
    party: z.number().int().min(1).max(200).default(1).describe('How many players stay together, all alike'),
    players: z.array(player).min(1).max(200).optional().describe('The players one by one, instead of `party`'),
    waited: seconds.default(0).describe('Waiting time, credit included, that it brings along'),
    arrives: seconds.default(0).describe('When it queues; for a scheduled search, its start'),
    groupSize: z
      .strictObject({ min: z.number().int().min(1), max: z.number().int().min(1) })
      .nullable()
      .default(null),
    regions: z.array(z.enum(REGIONS)).default([]),
    regionPreference: preference.default('preferred'),
    languages: z.array(z.string().min(2)).default([]),
    languagePreference: preference.default('any'),
    skillPreference: z.enum(['similar', 'any']).default('similar'),
    latencies: z.partialRecord(z.enum(REGIONS), z.number().min(0)).default({}),
    blocks: names.default([]).describe('Tickets or players whom these never meet'),
    avoids: names.default([]).describe('Tickets or players whom these have met lately'),
    games: z
      .record(name, z.number().int().min(1).max(10))
      .optional()
      .describe('Weight of each pool that it stands in; all of them alike where this is left out'),
    seats: z
      .array(z.number().int().min(0).max(19))
      .min(1)
      .optional()
      .describe('Makes it an open lobby that seeks players: the team of each of its own'),
  })
  .superRefine(({ party, players, seats }, context) => {
    const issue = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (players && party !== 1) issue('party', 'is the number of `players` already: leave one of the two out');
    if (seats && seats.length !== (players?.length ?? party)) issue('seats', 'must name a team for each player');
  });
export type ScenarioTicket = z.output<typeof ticket>;

const match = z.strictObject({
  tickets: names.min(1),
  pool: name.optional(),
  teams: z.array(names).optional().describe('Players of each team; the order of teams and players does not matter'),
  roles: z.record(name, role).optional().describe('Role of each of these players'),
  region: z.enum(REGIONS).nullable().optional(),
  quality: z.strictObject({ min: z.number().min(0).default(0), max: z.number().max(1).default(1) }).optional(),
});
export type ExpectedMatch = z.output<typeof match>;

const wait = z.strictObject({
  pool: name.optional().describe('The pool that is asked for the reason; the first of the ticket unless it is given'),
  because: z.array(z.enum(EXCLUSIONS)).optional().describe('Exactly the rules that keep candidates away, in any order'),
  compatible: z.number().int().min(0).optional().describe('How many candidates would do'),
  until: seconds.nullable().optional().describe('When waiting changes something next; null: never'),
});
export type ExpectedWait = z.output<typeof wait>;

const moment = z.strictObject({
  at: seconds.default(0),
  matches: z
    .array(z.union([names.min(1), match]))
    .default([])
    .transform((list) => list.map((one): ExpectedMatch => (Array.isArray(one) ? { tickets: one } : one)))
    .describe('All matches made at this moment, and no others'),
  waits: z.record(name, wait).default({}).describe('Why these wait; who is in no match has to wait in any case'),
});
export type Moment = z.output<typeof moment>;

const scenario = z
  .strictObject({
    name: z.string().min(1).max(200).describe('A sentence that says what the rules do'),
    rules: ruleSource.optional(),
    pools: z.record(name, ruleSource).optional().describe('Several pools with rules of their own, instead of `rules`'),
    tickets: z.record(name, ticket),
    refused: z
      .record(name, z.string())
      .default({})
      .describe('Tickets that are not let into the queue at all, and words of the reason'),
    expect: z
      .union([z.array(moment).min(1), moment])
      .transform((given) => (Array.isArray(given) ? given : [given]))
      .describe('What happens at one moment, or at several in order'),
  })
  .superRefine((whole, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const known = (id: string, path: (string | number)[]) => {
      if (!(id in whole.tickets)) issue(path, `there is no ticket ${id}`);
    };
    if (whole.rules !== undefined && whole.pools) issue(['pools'], 'leave either `rules` or `pools` out');
    for (const [id, { games }] of Object.entries(whole.tickets))
      for (const pool of Object.keys(games ?? {}))
        if (!whole.pools || !(pool in whole.pools)) issue(['tickets', id, 'games', pool], 'there is no such pool');
    for (const id of Object.keys(whole.refused)) known(id, ['refused', id]);
    const gone = new Set(Object.keys(whole.refused));
    whole.expect.forEach(({ at, matches, waits }, m) => {
      if (m > 0 && at <= (whole.expect[m - 1]?.at ?? 0))
        issue(['expect', m, 'at'], 'must be later than the one before');
      matches.forEach(({ tickets }, i) =>
        tickets.forEach((id, t) => {
          known(id, ['expect', m, 'matches', i, t]);
          if (gone.has(id)) issue(['expect', m, 'matches', i, t], `${id} is in another match already, or refused`);
          gone.add(id);
        }),
      );
      for (const id of Object.keys(waits)) {
        known(id, ['expect', m, 'waits', id]);
        if (gone.has(id)) issue(['expect', m, 'waits', id], `${id} is in a match, or refused`);
      }
    });
  });
export type Scenario = z.output<typeof scenario>;

export const scenarioFile = z.strictObject({
  $schema: z.string().optional(),
  rules: ruleSource.optional().describe('For every scenario that names none of its own'),
  scenarios: z
    .array(scenario)
    .min(1)
    .refine((list) => new Set(list.map((one) => one.name)).size === list.length, 'must not have a name twice'),
});
export type ScenarioFile = z.output<typeof scenarioFile>;

/** For editors: completion and checks while somebody writes a scenario. */
export const scenarioJsonSchema = (): object => z.toJSONSchema(scenarioFile, { io: 'input' });

/** Faults by path. Of a union that nothing fits, the branch that came closest speaks: the one at fault deepest inside. */
export function faultsOf(error: z.ZodError): string[] {
  return flatten(error.issues, []).map(({ path, message }) => `${path.map(String).join('.') || 'file'}: ${message}`);
}

interface Fault {
  path: PropertyKey[];
  message: string;
}

function flatten(issues: readonly z.core.$ZodIssue[], prefix: PropertyKey[]): Fault[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code !== 'invalid_union' || issue.errors.length === 0) return [{ path, message: issue.message }];
    const branches = issue.errors.map((branch) => flatten(branch, path));
    const depth = (faults: Fault[]) => Math.max(...faults.map((fault) => fault.path.length));
    const deepest = Math.max(...branches.map(depth));
    return branches.findLast((branch) => depth(branch) === deepest) ?? [];
  });
}
