import { seededRandom, type Random } from '../../../src/core/random';

/** Chance of the fault suite: one seed for everything, printed, and given again by FAULT_SEED to see the same choices. */
export const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How often each kind of fault is made. */
export const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);

export const random: Random = seededRandom(SEED);

export const between = (low: number, high: number): number => low + Math.floor(random() * (high - low + 1));
