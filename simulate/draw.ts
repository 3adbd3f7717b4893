import type { Random } from '../src/core/random';

/** Draws from distributions out of a seeded generator. */

/** Box and Muller. */
export const normal = (random: Random, mean: number, deviation: number): number =>
  mean + deviation * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** An index, as often as its weight says. At least one weight is above 0. */
export function weighted(random: Random, weights: readonly number[]): number {
  let left = random() * weights.reduce((sum, weight) => sum + weight, 0);
  for (const [i, weight] of weights.entries()) {
    left -= weight;
    if (left < 0) return i;
  }
  return weights.findLastIndex((weight) => weight > 0);
}

export function named(random: Random, weights: Readonly<Record<string, number>>): string {
  const names = Object.keys(weights);
  return names[weighted(random, Object.values(weights))] as string;
}
