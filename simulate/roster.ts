import type { Random } from '../src/core/random';
import { REGIONS, type Player, type Region } from '../src/modules/matchmaking/engine';
import type { Preference } from '../src/modules/matchmaking/engine/ticket';
import { named, normal, weighted } from './draw';
import type { Profile } from './profile';

/** Somebody of the population: what they are like does not change during a run. */
export interface Citizen {
  player: Player;
  skill: number;
  home: Region;
  regions: readonly Region[];
  regionPreference: Preference;
  languages: readonly string[];
  languagePreference: Preference;
  skillPreference: 'similar' | 'any';
  latencies: Readonly<Partial<Record<Region, number>>>;
  blocked: Set<string>;
  /** When they last queued, ms since the epoch. */
  lastCame: number;
}

/** Everybody rests at least so long between two tickets: nobody stands in a queue twice. */
export const REST_MS = 30 * 60_000;
const TRIES = 20;
const SIGMA = 25 / 3;

/** Round trips between regions in ms, as usual over the public internet. */
const ROUND_TRIPS: Record<Region, Record<Region, number>> = {
  NA: { NA: 35, EU: 95, AS: 165, SA: 130, OC: 170, AF: 190 },
  EU: { NA: 95, EU: 28, AS: 190, SA: 195, OC: 280, AF: 110 },
  AS: { NA: 165, EU: 190, AS: 45, SA: 290, OC: 120, AF: 240 },
  SA: { NA: 130, EU: 195, AS: 290, SA: 40, OC: 300, AF: 280 },
  OC: { NA: 170, EU: 280, AS: 120, SA: 300, OC: 30, AF: 300 },
  AF: { NA: 190, EU: 110, AS: 240, SA: 280, OC: 300, AF: 50 },
};

/** The players of a population, drawn as they are needed and coming back now and then. */
export class Roster {
  private readonly byRegion = new Map<Region, Citizen[]>();
  private readonly sizes: ReadonlyMap<Region, number>;
  private count = 0;

  /** @param roles what players offer, by popularity; null where the mode has none */
  constructor(
    private readonly profile: Profile,
    size: number,
    private readonly roles: Readonly<Record<string, number>> | null,
    private readonly random: Random,
  ) {
    const weights = REGIONS.map((region) => profile.regions[region]?.weight ?? 0);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    this.sizes = new Map(REGIONS.map((region, i) => [region, Math.ceil((size * (weights[i] ?? 0)) / total)]));
  }

  /** Somebody of this region who is free to come now. */
  somebody(region: Region, now: number): Citizen {
    const citizen = this.resting(region, now) ?? this.moveIn(region);
    citizen.lastCame = now;
    return citizen;
  }

  /** Somebody who might be a friend: of three who are free, the one who plays most alike. */
  friendOf(leader: Citizen, now: number): Citizen {
    const three = [0, 1, 2].flatMap(() => this.resting(leader.home, now) ?? []);
    three.sort((a, b) => Math.abs(a.skill - leader.skill) - Math.abs(b.skill - leader.skill));
    const friend = three[0] ?? this.moveIn(leader.home);
    friend.lastCame = now;
    return friend;
  }

  private resting(region: Region, now: number): Citizen | undefined {
    const known = this.byRegion.get(region) ?? [];
    const size = this.sizes.get(region) ?? 1;
    for (let i = 0; i < TRIES; i++) {
      const at = Math.floor(this.random() * size);
      // those who have not come yet are drawn when they first do
      const citizen = known[at] ?? (known.length < size ? this.moveIn(region) : undefined);
      if (citizen && now - citizen.lastCame >= REST_MS) return citizen;
    }
    return undefined;
  }

  private moveIn(region: Region): Citizen {
    const citizen = this.born(region);
    const known = this.byRegion.get(region);
    if (known) known.push(citizen);
    else this.byRegion.set(region, [citizen]);
    return citizen;
  }

  private born(home: Region): Citizen {
    const { profile, random } = this;
    const skill = normal(random, profile.skill.mean, profile.skill.deviation);
    const newcomer = random() < profile.newcomers;
    const sigma = newcomer ? SIGMA : 1.5 + 3 * random();
    const mu = newcomer ? 25 : normal(random, skill, sigma);
    const second = random() < 0.15 ? REGIONS[Math.floor(random() * REGIONS.length)] : undefined;
    const first = named(random, profile.regions[home]?.languages ?? { en: 1 });
    const regionPreference = named(random, profile.regionPreference) as Preference;
    const blocked = new Set<string>();
    if (this.count > 0 && random() < profile.blocks) blocked.add(userId(Math.floor(random() * this.count)));
    return {
      player: { userId: userId(this.count++), mu, sigma, roles: this.offer() },
      skill,
      home,
      regions: second && second !== home ? [home, second] : [home],
      regionPreference,
      languages: first !== 'en' && random() < 0.4 ? [first, 'en'] : [first],
      languagePreference: named(random, profile.languagePreference) as Preference,
      skillPreference: random() < profile.similarSkill ? 'similar' : 'any',
      latencies: this.latenciesFrom(home),
      blocked,
      lastCame: -Infinity,
    };
  }

  /** One role, often a second, now and then any. */
  private offer(): string[] {
    if (!this.roles) return [];
    const { random } = this;
    const names = Object.keys(this.roles);
    const draw = () => names[weighted(random, Object.values(this.roles ?? {}))] as string;
    const first = draw();
    if (random() < 0.08) return [];
    return random() < 0.3 ? [...new Set([first, draw()])] : [first];
  }

  private latenciesFrom(home: Region): Partial<Record<Region, number>> {
    const own = 0.7 + 0.6 * this.random();
    return Object.fromEntries(REGIONS.map((region) => [region, Math.round(ROUND_TRIPS[home][region] * own)]));
  }
}

const userId = (n: number): string => `player-${n}`;
