import type { Random } from '../src/core/random';

/** Choices out of a seeded generator: the same seed makes the same choices on every machine. */

/** An integer, both ends included. */
export const between = (random: Random, min: number, max: number): number =>
  min + Math.floor(random() * (max - min + 1));

/** @throws on an empty list */
export function oneOf<Item>(random: Random, items: readonly Item[]): Item {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error('nothing to choose from');
  return item;
}

export function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const rest = [...items];
  for (let i = rest.length - 1; i > 0; i--) {
    const j = between(random, 0, i);
    [rest[i], rest[j]] = [rest[j] as Item, rest[i] as Item];
  }
  return rest;
}
