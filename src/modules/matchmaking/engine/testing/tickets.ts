import fc from 'fast-check';
import { ruleSetSchema, type RuleSet, type RuleSetInput } from '../../../games/rule-set';
import { REGIONS, type Player, type Ticket } from '../ticket';

/** Tickets and rule sets for tests of the engine. */
export const NOW = Date.UTC(2026, 0, 1);

export const rules = (input: RuleSetInput): RuleSet => ruleSetSchema.parse(input);

/** A solo ticket of the player `id`, queued just now, that asks for nothing. */
export function ticket(
  id: string,
  fields: Partial<Ticket> & { mu?: number; waited?: number; party?: number } = {},
): Ticket {
  const { mu = 25, waited = 0, party = 1, ...rest } = fields;
  const players: Player[] = Array.from({ length: party }, (_, i) => ({
    userId: party === 1 ? id : `${id}.${i}`,
    mu,
    sigma: 25 / 3,
    roles: [],
  }));
  return {
    id,
    players,
    waitingSince: NOW - waited * 1000,
    groupSize: null,
    regions: [],
    regionPreference: 'preferred',
    languages: [],
    languagePreference: 'any',
    skillPreference: 'similar',
    latencies: {},
    blocked: new Set(),
    avoided: new Set(),
    weight: 5,
    favourite: 5,
    backfill: null,
    ...rest,
  };
}

const preference = fc.constantFrom('strict' as const, 'preferred' as const, 'any' as const);

/** A pool of tickets `t0`, `t1`, … that ask for all sorts of things, and block one another here and there. */
export const tickets = (max: number, options: { maxParty?: number; roles?: string[] } = {}): fc.Arbitrary<Ticket[]> =>
  fc
    .array(
      fc.record({
        party: fc.integer({ min: 1, max: options.maxParty ?? 3 }),
        mus: fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 5, maxLength: 5 }),
        roles: fc.subarray(options.roles ?? []),
        waited: fc.integer({ min: 0, max: 200 }),
        size: fc.option(fc.tuple(fc.integer({ min: 2, max: 6 }), fc.integer({ min: 0, max: 4 })), {
          nil: null,
          freq: 3,
        }),
        regions: fc.subarray([...REGIONS], { maxLength: 3 }),
        regionPreference: preference,
        languages: fc.subarray(['en', 'de', 'fr', 'pt'], { maxLength: 2 }),
        languagePreference: preference,
        skillPreference: fc.constantFrom('similar' as const, 'any' as const),
        latencies: fc.option(
          fc.record({ EU: fc.integer({ min: 5, max: 300 }), NA: fc.integer({ min: 5, max: 300 }) }),
          {
            nil: {},
            freq: 2,
          },
        ),
        blocks: fc.array(fc.nat({ max: max - 1 }), { maxLength: 1 }),
        avoids: fc.array(fc.nat({ max: max - 1 }), { maxLength: 2 }),
        sigmas: fc.array(fc.double({ min: 0.5, max: 25 / 3, noNaN: true }), { minLength: 5, maxLength: 5 }),
        weight: fc.integer({ min: 1, max: 10 }),
      }),
      { maxLength: max },
    )
    .map((drawn) =>
      drawn.map(({ party, mus, sigmas, roles, waited, size, blocks, avoids, ...rest }, i) => ({
        ...rest,
        id: `t${i}`,
        players: Array.from({ length: party }, (_, p) => ({
          userId: `t${i}.${p}`,
          mu: mus[p] ?? 25,
          sigma: sigmas[p] ?? 25 / 3,
          roles,
        })),
        waitingSince: NOW - waited * 1000,
        groupSize: size && { min: size[0], max: size[0] + size[1] },
        blocked: new Set(blocks.map((other) => `t${other}.0`)),
        avoided: new Set(avoids.map((other) => `t${other}.0`)),
        favourite: rest.weight,
        backfill: null,
      })),
    );

const widening = fc
  .record({
    value: fc.integer({ min: 0, max: 15 }),
    first: fc.integer({ min: 1, max: 60 }),
    wider: fc.integer({ min: 1, max: 30 }),
    interpolate: fc.boolean(),
  })
  .map(({ value, first, wider, interpolate }) => ({
    value,
    steps: [{ afterSeconds: first, value: value + wider }],
    interpolate,
  }));

/** Rule sets of small modes: co-op and versus, fixed and flexible, with and without limits. */
export const ruleSets: fc.Arbitrary<RuleSet> = fc
  .record({
    count: fc.integer({ min: 1, max: 3 }),
    min: fc.integer({ min: 1, max: 3 }),
    more: fc.integer({ min: 0, max: 2 }),
    maxSpread: fc.option(widening),
    maxTeamGap: fc.option(widening),
    maxMs: fc.option(fc.integer({ min: 50, max: 200 })),
    hold: fc.option(fc.integer({ min: 0, max: 100 })),
    regionsRelax: fc.option(fc.integer({ min: 0, max: 120 })),
    languagesRelax: fc.option(fc.integer({ min: 0, max: 120 })),
    nearby: fc.option(fc.integer({ min: 0, max: 60 })),
    mutual: fc.constantFrom('strictest' as const, 'strictest' as const, 'widest' as const),
    uncertainty: fc.constantFrom(0, 0.5, 1),
    avoidFor: fc.integer({ min: 0, max: 100 }),
  })
  .map(({ count, min, more, maxSpread, maxTeamGap, maxMs, hold, regionsRelax, languagesRelax, ...others }) => {
    const size = { min: count === 1 ? min + 1 : min, max: min + more + (count === 1 ? 1 : 0) };
    return rules({
      teams: { count, size },
      skill: {
        maxSpread,
        maxTeamGap: count === 1 ? null : maxTeamGap,
        mutual: others.mutual,
        uncertainty: others.uncertainty,
      },
      avoid: { relaxAfterSeconds: others.avoidFor },
      latency: maxMs === null ? null : { maxMs: { value: maxMs } },
      hold: hold === null ? null : { fillTarget: count * size.max, holdSeconds: hold },
      regions: { relaxAfterSeconds: regionsRelax, nearbyAfterSeconds: others.nearby },
      languages: { relaxAfterSeconds: languagesRelax },
    });
  });
