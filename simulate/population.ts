import { UsageError } from '../demo/options';
import { seededRandom, type Random } from '../src/core/random';
import { REGIONS, type Region } from '../src/modules/matchmaking/engine';
import type { Arrival, Source } from './arrivals';
import { normal, weighted } from './draw';
import type { Profile } from './profile';
import { REST_MS, Roster, type Citizen } from './roster';

/** The virtual day begins at midnight, UTC. */
const MIDNIGHT = Date.UTC(2026, 0, 1);
const HOUR_MS = 3_600_000;

/**
 * Tickets of a seeded population over a day. Each region's evening is its own: they come as a Poisson process whose rate
 * follows `profile.hours` there, given that exactly `count` come in `hours`.
 * @throws UsageError where nobody comes at these hours
 */
export function createPopulation({
  profile,
  count,
  hours,
  players,
  seed,
  roles,
}: {
  profile: Profile;
  count: number;
  hours: number;
  players: number;
  seed: number;
  /** What the rules need, null where they need none: what players offer, unless the profile says how popular each role is. */
  roles: Readonly<Record<string, number>> | null;
}): Source {
  const offers = roles && (profile.roles ?? roles);
  const minutes = Array.from({ length: hours * 60 }, (_, minute) => sum(busyness(profile, startOf(minute))));
  const area = sum(minutes);
  if (area === 0) throw new UsageError(`By the population nobody comes in the first ${hours} h after midnight, UTC.`);
  const draw = function* (): Generator<Arrival> {
    const random = seededRandom(seed);
    const roster = new Roster(profile, players, offers, random);
    const rates = (at: number) => busyness(profile, at);
    for (const at of moments(minutes, count, random, (at) => (sum(rates(at)) * count) / area)) {
      const region = REGIONS[weighted(random, rates(at))] as Region;
      yield arrivalOf(roster, profile, region, at, random);
    }
  };
  return {
    title: `${count} tickets in ${hours} h, seed ${seed}`,
    facts: [
      ['Tickets', count.toLocaleString('en')],
      ['Players to draw from', players.toLocaleString('en')],
      ['Skill', `${profile.skill.mean} ± ${profile.skill.deviation}, newcomers ${percent(profile.newcomers)}`],
      ['Patience', `half give up after ${profile.patience.medianSeconds} s`],
      ['Churn', `${percent(profile.churn)} of those who gave up stay away`],
      ['Seed', String(seed)],
    ],
    startMs: MIDNIGHT,
    endMs: startOf(hours * 60),
    count,
    arrivals: draw,
  };
}

const percent = (x: number): string => `${Math.round(x * 100)} %`;

/** How busy each region is at a moment, in the order of REGIONS: its weight, by the hour there, linear in between. */
function busyness({ regions, hours }: Profile, at: number): number[] {
  const hourUtc = (at - MIDNIGHT) / HOUR_MS;
  return REGIONS.map((region) => {
    const { weight = 0, utcOffset = 0 } = regions[region] ?? {};
    const local = (((hourUtc + utcOffset) % 24) + 24) % 24;
    const hour = Math.floor(local);
    const before = hours[hour] ?? 0;
    return weight * (before + ((hours[(hour + 1) % 24] ?? 0) - before) * (local - hour));
  });
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

const MINUTE_MS = 60_000;
const startOf = (minute: number): number => MIDNIGHT + minute * MINUTE_MS;

/**
 * When they come, in order: `count` of them spread over these minutes by weight, as the moments of a Poisson process are once
 * their number is known; and after these minutes as many as `perMinute` says, for ever.
 */
function* moments(
  minutes: readonly number[],
  count: number,
  random: Random,
  perMinute: (at: number) => number,
): Generator<number> {
  let total = 0;
  const until = Float64Array.from(minutes, (weight) => (total += weight));
  const drawn = Float64Array.from({ length: count }, () => random() * total).sort();
  let minute = 0;
  for (const at of drawn) {
    while ((until[minute] ?? Infinity) <= at) minute++;
    const weight = minutes[minute] as number;
    const within = 1 - ((until[minute] as number) - at) / weight;
    yield startOf(minute) + Math.min(MINUTE_MS - 1, Math.floor(within * MINUTE_MS));
  }
  for (minute = minutes.length; ; minute++) {
    const rate = perMinute(startOf(minute));
    let part = 0;
    while (rate > 0 && (part -= Math.log(1 - random()) / rate) < 1)
      yield startOf(minute) + Math.floor(part * MINUTE_MS);
  }
}

function arrivalOf(roster: Roster, profile: Profile, region: Region, at: number, random: Random): Arrival {
  const size = weighted(random, profile.parties) + 1;
  const leader = roster.somebody(region, at);
  const members: Citizen[] = [leader];
  while (members.length < size) members.push(roster.friendOf(leader, at));
  const { medianSeconds, spread } = profile.patience;
  const { regions, regionPreference, languages, languagePreference, skillPreference, latencies } = leader;
  return {
    ticket: {
      id: `${leader.player.userId}@${at}`,
      players: members.map((one) => one.player),
      waitingSince: at,
      groupSize: null,
      regions,
      regionPreference,
      languages,
      languagePreference,
      skillPreference,
      latencies,
      blocked: new Set(members.flatMap((one) => [...one.blocked])),
      avoided: new Set(),
      weight: 5,
      favourite: 5,
      backfill: null,
    },
    skills: members.map((one) => one.skill),
    // nobody is still waiting when they may come again
    patienceMs: Math.min(REST_MS - 1, Math.round(medianSeconds * 1000 * Math.exp(normal(random, 0, spread)))),
    leavesForGood: random() < profile.churn,
  };
}
