import { z } from 'zod';

/**
 * A rule set: how a mode makes matches. Data, validated here, versioned, changed by an admin while the server runs.
 * A limit that widens is `{value, steps: [{afterSeconds, value}]}`: the step that applies is the ticket's own waiting time.
 */

const seconds = z.number().int().min(0).max(86_400);

// a key of a stored document: no dots, no operators
const roleName = z
  .string()
  .max(32)
  .regex(/^[a-z0-9]+(-[a-z0-9]+)*$/, 'must be lower-case letters and digits, in groups joined by single hyphens');

const step = z.strictObject({ afterSeconds: seconds.min(1), value: z.number().min(0).max(10_000) });

export const widening = z
  .strictObject({
    value: z.number().min(0).max(10_000).describe('The limit for somebody who has just queued'),
    steps: z.array(step).max(20).default([]).describe('Wider limits, by waiting time'),
    interpolate: z.boolean().default(false).describe('Linear between steps instead of jumps'),
  })
  .superRefine((rule, context) => {
    let previous = { afterSeconds: 0, value: rule.value };
    rule.steps.forEach((next, i) => {
      if (next.afterSeconds <= previous.afterSeconds)
        context.addIssue({
          code: 'custom',
          path: ['steps', i, 'afterSeconds'],
          message: 'must be later than the step before',
        });
      if (next.value < previous.value)
        context.addIssue({
          code: 'custom',
          path: ['steps', i, 'value'],
          message: 'must not be narrower than before: waiting only widens',
        });
      previous = next;
    });
  });

export const ruleSetSchema = z
  .strictObject({
    teams: z.strictObject({
      count: z.number().int().min(1).max(20).describe('1 is a co-op group, 2 and more play against each other'),
      size: z.strictObject({ min: z.number().int().min(1).max(100), max: z.number().int().min(1).max(100) }),
    }),
    skill: z
      .strictObject({
        maxSpread: widening.nullable().default(null).describe('Highest minus lowest rating (mu) within a match'),
        maxTeamGap: widening.nullable().default(null).describe('Difference between the means of the teams'),
        mutual: z
          .enum(['strictest', 'widest'])
          .default('strictest')
          .describe('Whose limit holds in a match: the strictest of its tickets, or the most generous'),
        uncertainty: z
          .number()
          .min(0)
          .max(5)
          .default(0.5)
          .describe(
            'By how much of its uncertainty (sigma above that of a settled rating) a ticket widens its maxSpread',
          ),
      })
      .prefault({}),
    regions: z
      .strictObject({
        nearbyAfterSeconds: seconds
          .nullable()
          .default(null)
          .describe('When `preferred` takes neighbouring regions too'),
        relaxAfterSeconds: seconds.nullable().default(60).describe('When `preferred` begins to accept any; null never'),
      })
      .prefault({}),
    languages: z.strictObject({ relaxAfterSeconds: seconds.nullable().default(60) }).prefault({}),
    latency: z
      .strictObject({ maxMs: widening })
      .nullable()
      .default(null)
      .describe('Limit on reported latencies to a common region'),
    roles: z
      .record(roleName, z.number().int().min(1).max(20))
      .nullable()
      .default(null)
      .refine((roles) => roles === null || Object.keys(roles).length <= 8, 'names at most 8 roles')
      .describe('Roles of one team and how many of each'),
    hold: z
      .strictObject({ fillTarget: z.number().int().min(1).max(2000), holdSeconds: seconds })
      .nullable()
      .default(null)
      .describe('Hold out for this many players, this long; then take what is at least the minimum'),
    avoid: z
      .strictObject({
        recentSeconds: seconds.default(1800).describe('For how long recent company is avoided; 0: never'),
        relaxAfterSeconds: seconds
          .default(0)
          .describe('Who has waited this long takes recent company again; 0: others are only preferred'),
      })
      .prefault({})
      .describe('Recent opponents and teammates, and those of a declined match: others are preferred to them'),
    choices: z
      .strictObject({ secondsPerPoint: z.number().min(0).max(600).default(1) })
      .prefault({})
      .describe(
        'A ticket enters this pool later by so many seconds for each point of weight below its favourite choice',
      ),
    acceptance: z
      .strictObject({ seconds: z.number().int().min(5).max(300) })
      .nullable()
      .default(null)
      .describe('Everybody has to accept within this time; null: matched at once'),
    backfill: z
      .boolean()
      .default(false)
      .describe('Whether a match that somebody has left searches for others in their place'),
    ticketSeconds: z
      .number()
      .int()
      .min(30)
      .max(86_400)
      .default(600)
      .describe('A ticket expires after this unless it says otherwise'),
    results: z.strictObject({ agreement: z.enum(['majority', 'host']).default('majority') }).prefault({}),
  })
  .superRefine((rules, context) => {
    const issue = (path: (string | number)[], message: string) => context.addIssue({ code: 'custom', path, message });
    const { count, size } = rules.teams;
    if (size.max < size.min) issue(['teams', 'size', 'max'], 'must be at least min');
    if (count * size.max > 200) issue(['teams'], 'a match holds at most 200 players');
    if (count === 1 && size.max < 2) issue(['teams', 'size', 'max'], 'a co-op group needs room for 2');
    if (count === 1 && rules.skill.maxTeamGap) issue(['skill', 'maxTeamGap'], 'has no meaning with one team');
    const roleCount = Object.values(rules.roles ?? {}).reduce((sum, n) => sum + n, 0);
    if (rules.roles && (size.min !== size.max || roleCount !== size.max))
      issue(['roles'], `must add up to the team size (${size.max}), which must be fixed`);
    if (rules.hold && (rules.hold.fillTarget > count * size.max || rules.hold.fillTarget < count * size.min))
      issue(['hold', 'fillTarget'], `must lie between ${count * size.min} and ${count * size.max} players`);
  })
  .meta({ id: 'RuleSet' });

/** As validated, with every default filled in. */
export type RuleSet = z.output<typeof ruleSetSchema>;
/** As an admin or the catalogue file writes it. */
export type RuleSetInput = z.input<typeof ruleSetSchema>;
export type Widening = z.output<typeof widening>;
