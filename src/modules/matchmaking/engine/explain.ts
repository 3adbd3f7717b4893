import type { Pool, View } from './pool';
import { Flag } from './slots';

/** Of a large pool the tickets nearest in rating are looked at: enough to tell why, and cheap enough to ask often. */
const EXAMINED = 5000;
const NEAREST = 5;

export const EXCLUSIONS = ['blocked', 'recent', 'skill', 'region', 'language', 'groupSize', 'lobby'] as const;
export type Exclusion = (typeof EXCLUSIONS)[number];

/** Why a ticket waits, as seen from one pool. Times in ms. */
export interface Explanation {
  /** Other tickets that are open in the pool, and how many of them, nearest in rating first, were looked at. */
  candidates: number;
  examined: number;
  /** Those that no rule keeps apart from this one. */
  compatible: number;
  /** How many candidates each rule excludes; one may be excluded by several. */
  excludedBy: Record<Exclusion, number>;
  /** The candidates that least is missing for, nearest first. */
  nearestMisses: Miss[];
  /** What waiting alone changes next, and how many more tickets that will admit; null where it changes nothing any more. */
  nextExpansion: { at: number; admits: number } | null;
  /** When the ticket enters the pool, where it waits for a game that it loves more. */
  opensAt: number | null;
  /** Players a match with it takes, and how many there are together with the compatible ones. */
  players: { min: number; max: number; available: number };
}

export interface Miss {
  /** The rules that keep it apart. */
  rules: Exclusion[];
  /** How far the ratings lie apart, and by how much that is too far; 0 where it is not. */
  distance: number;
  excess: number;
  waitedMs: number;
}

export function explain(pool: Pool, slot: number, now: number): Explanation {
  const { slots, classes } = pool;
  const others = pool.nearest(slot, EXAMINED);
  const own = pool.viewAt(slot, now);
  const excludedBy = Object.fromEntries(EXCLUSIONS.map((rule) => [rule, 0])) as Record<Exclusion, number>;
  const misses: Miss[] = [];
  let compatible = 0;
  let available = slots.size[slot] as number;
  for (const other of others) {
    const rules = exclusions(pool, own, pool.viewAt(other, now), now);
    if (rules.length === 0) {
      compatible += 1;
      available += slots.size[other] as number;
    }
    for (const rule of rules) excludedBy[rule] += 1;
    if (rules.length > 0) noteMiss(misses, missOf(pool, slot, other, rules, now));
  }
  const isOpen = slots.has(slot, Flag.open);
  const at = pool.nextChange(slot, now);
  return {
    candidates: Math.max(0, pool.order.size - (isOpen ? 1 : 0)),
    examined: others.length,
    compatible,
    excludedBy,
    nearestMisses: misses,
    nextExpansion: at === Infinity ? null : { at, admits: compatibleAt(pool, slot, others, at) - compatible },
    opensAt: pool.opensAt(slot) > now ? pool.opensAt(slot) : null,
    players: { min: classes.fewest[own.cls] as number, max: classes.most[own.cls] as number, available },
  };
}

function exclusions(pool: Pool, a: View, b: View, now: number): Exclusion[] {
  const { slots, classes, rules } = pool;
  const found: Exclusion[] = [];
  const apart = slots.apart(a.slot, b.slot, now, rules.avoidFor);
  if (apart) found.push(apart);
  if (distance(pool, a.slot, b.slot) > limitOf(pool, a, b)) found.push('skill');
  if (!classes.shareRegion(a.cls, b.cls)) found.push('region');
  if (!classes.shareLanguage(a.cls, b.cls)) found.push('language');
  if (!classes.shareSize(a.cls, b.cls)) found.push('groupSize');
  if (classes.bothLobbies(a.cls, b.cls)) found.push('lobby');
  return found;
}

const distance = ({ slots }: Pool, a: number, b: number): number =>
  Math.abs((slots.rating[a] as number) - (slots.rating[b] as number));

const limitOf = ({ rules }: Pool, a: View, b: View): number =>
  rules.widestHolds ? Math.max(a.limit, b.limit) : Math.min(a.limit, b.limit);

function compatibleAt(pool: Pool, slot: number, others: readonly number[], at: number): number {
  const own = pool.viewAt(slot, at);
  return others.filter((other) => exclusions(pool, own, pool.viewAt(other, at), at).length === 0).length;
}

function missOf(pool: Pool, slot: number, other: number, rules: Exclusion[], now: number): Miss {
  const apart = distance(pool, slot, other);
  return {
    rules,
    distance: apart,
    excess: Math.max(0, apart - limitOf(pool, pool.viewAt(slot, now), pool.viewAt(other, now))),
    waitedMs: Math.max(0, now - (pool.slots.since[other] as number)),
  };
}

/** Keeps the few that least is missing for: the fewest rules first, then the smallest excess, then the nearest. */
function noteMiss(misses: Miss[], miss: Miss): void {
  const before = (a: Miss, b: Miss) =>
    a.rules.length - b.rules.length || a.excess - b.excess || a.distance - b.distance || b.waitedMs - a.waitedMs;
  const last = misses[NEAREST - 1];
  if (last && before(miss, last) >= 0) return;
  misses.push(miss);
  misses.sort(before);
  misses.length = Math.min(misses.length, NEAREST);
}
