import { ruleSetSchema, type RuleSet, type RuleSetInput } from '../src/modules/games/rule-set';
import { REGIONS, type Player, type Region, type Ticket } from '../src/modules/matchmaking/engine';

/** Seeded pools for the benchmark of the engine: the same tickets on every machine. */
export const NOW = Date.UTC(2026, 0, 1);

export interface Workload {
  name: string;
  ruleSet: RuleSet;
  ticket: (random: () => number, i: number) => Ticket;
}

/** mulberry32: small, fast, and good enough to draw tickets with. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const rules = (input: RuleSetInput): RuleSet => ruleSetSchema.parse(input);

const normal = (random: () => number, mean: number, deviation: number) =>
  mean + deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

const pick = <T>(random: () => number, weighted: readonly (readonly [T, number])[]): T => {
  let left = random();
  for (const [value, share] of weighted) if ((left -= share) < 0) return value;
  return (weighted[0] as readonly [T, number])[0];
};

const LANGUAGES = [
  ['en', 0.38],
  ['es', 0.14],
  ['pt', 0.1],
  ['zh', 0.1],
  ['ru', 0.08],
  ['de', 0.07],
  ['fr', 0.06],
  ['ja', 0.04],
  ['pl', 0.03],
] as const;
const HOMES = [
  ['EU', 0.34],
  ['NA', 0.28],
  ['AS', 0.2],
  ['SA', 0.1],
  ['OC', 0.05],
  ['AF', 0.03],
] as const satisfies readonly (readonly [Region, number])[];
const PREFERENCES = [
  ['preferred', 0.6],
  ['strict', 0.25],
  ['any', 0.15],
] as const;

/** The id of the ith user; a ticket has that of its first player. */
export const id = (i: number) => (0x5f00000000000 + i).toString(16).padStart(24, '0');

function player(random: () => number, userId: string, roles: readonly string[] = []): Player {
  const newcomer = random() < 0.1;
  return { userId, mu: newcomer ? 25 : normal(random, 25, 6), sigma: newcomer ? 25 / 3 : 1.5 + 3 * random(), roles };
}

/** A ticket as people send it: one or two regions, one or two languages, now and then a block. */
function mixed(random: () => number, i: number, party = 1, roles: () => string[] = () => []): Ticket {
  const home = pick(random, HOMES);
  const second = random() < 0.15 ? REGIONS[Math.floor(random() * REGIONS.length)] : undefined;
  const spoken = new Set<string>([pick(random, LANGUAGES)]);
  if (random() < 0.35) spoken.add('en');
  return {
    id: id(i * 8),
    players: Array.from({ length: party }, (_, p) => player(random, id(i * 8 + p), roles())),
    waitingSince: NOW - Math.floor(random() * 4000),
    groupSize: null,
    regions: second && second !== home ? [home, second] : [home],
    regionPreference: pick(random, PREFERENCES),
    languages: [...spoken],
    languagePreference: random() < 0.5 ? pick(random, PREFERENCES) : 'any',
    skillPreference: random() < 0.9 ? 'similar' : 'any',
    latencies: {},
    blocked: random() < 0.05 ? new Set([id(Math.floor(random() * 1e5) * 8)]) : NOBODY,
    avoided: NOBODY,
    weight: 5,
    favourite: 5,
    backfill: null,
  };
}

const NOBODY: ReadonlySet<string> = new Set();
const limits = {
  maxSpread: {
    value: 4,
    steps: [
      { afterSeconds: 20, value: 8 },
      { afterSeconds: 60, value: 20 },
    ],
  },
};

export const fives: Workload = {
  name: 'groups of 5',
  ruleSet: rules({ teams: { count: 1, size: { min: 5, max: 5 } }, skill: limits }),
  ticket: (random, i) => mixed(random, i),
};

export const pairs: Workload = {
  name: 'pairs',
  ruleSet: rules({ teams: { count: 2, size: { min: 1, max: 1 } }, skill: limits }),
  ticket: (random, i) => mixed(random, i),
};

const ROLES = [
  ['dps', 0.6],
  ['tank', 0.15],
  ['healer', 0.15],
  ['', 0.1],
] as const;

export const teams: Workload = {
  name: '5v5, parties 1-5, roles',
  ruleSet: rules({
    teams: { count: 2, size: { min: 5, max: 5 } },
    skill: { maxSpread: { value: 10, steps: [{ afterSeconds: 30, value: 20 }] }, maxTeamGap: { value: 3 } },
    roles: { tank: 1, healer: 1, dps: 3 },
  }),
  ticket(random, i) {
    const party = pick(random, [
      [1, 0.6],
      [2, 0.2],
      [3, 0.1],
      [4, 0.04],
      [5, 0.06],
    ] as const);
    const roles = () => {
      const first = pick(random, ROLES);
      if (first === '') return [];
      return random() < 0.3 ? [...new Set([first, 'dps'])] : [first];
    };
    return mixed(random, i, party, roles);
  },
};

/** Nothing limits ratings, so that most matches are uneven at first, and are made even by taking others into them. */
export const uneven: Workload = {
  name: '5v5, roles, evened out',
  ruleSet: rules({ teams: { count: 2, size: { min: 5, max: 5 } }, roles: { tank: 1, healer: 1, dps: 3 } }),
  ticket: (random, i) => teams.ticket(random, i),
};

export const flexible: Workload = {
  name: 'flexible 2-5',
  ruleSet: rules({ teams: { count: 1, size: { min: 2, max: 5 } }, skill: limits }),
  ticket(random, i) {
    const min = 2 + Math.floor(random() * 3);
    const groupSize = random() < 0.4 ? { min, max: min + Math.floor(random() * (6 - min)) } : null;
    return { ...mixed(random, i, random() < 0.2 ? 2 : 1), groupSize };
  },
};

/** So picky that hardly anybody matches: narrow limits that never widen, strict regions and languages. */
export const picky: Workload = {
  name: 'picky',
  ruleSet: rules({
    teams: { count: 1, size: { min: 5, max: 5 } },
    skill: {
      maxSpread: {
        value: 0.002,
        steps: [
          { afterSeconds: 30, value: 0.004 },
          { afterSeconds: 60, value: 0.006 },
        ],
      },
      uncertainty: 0,
    },
  }),
  ticket: (random, i) => ({
    ...mixed(random, i),
    players: [{ userId: id(i * 8), mu: normal(random, 25, 6), sigma: 2, roles: [] }],
    waitingSince: NOW - Math.floor(random() * 300_000),
    regionPreference: 'strict',
    languagePreference: 'strict',
    skillPreference: 'similar',
  }),
};

/** Nobody can match: everybody insists on a group larger than the number of those who share a language. */
export const sparse: Workload = {
  name: 'sparse: nobody can match',
  ruleSet: rules({ teams: { count: 1, size: { min: 5, max: 5 } }, skill: limits }),
  ticket: (random, i) => ({
    ...mixed(random, i),
    languages: [`l${Math.floor(i / 4)}`],
    languagePreference: 'strict',
  }),
};

export const ticketsOf = ({ ticket }: Workload, count: number, seed: number): Ticket[] => {
  const random = seeded(seed);
  return Array.from({ length: count }, (_, i) => ticket(random, i));
};
