import { seededRandom, type Random } from '../../../src/core/random';

/** Chance of the fault suite: one seed for everything, printed, and given again by FAULT_SEED to see the same choices. */
export const SEED = Number(process.env['FAULT_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** How often each kind of fault is made. */
export const ROUNDS = Number(process.env['FAULT_ROUNDS'] ?? 1);

/** Many times as much of everything that takes its time (leases, patience): for a machine that is busy with other things. */
export const PACE = Number(process.env['FAULT_PACE'] ?? 1);

export type Between = (low: number, high: number) => number;
export const betweenBy =
  (chance: Random): Between =>
  (low, high) =>
    low + Math.floor(chance() * (high - low + 1));

export const random: Random = seededRandom(SEED);
export const between = betweenBy(random);

/** Chance of its own for one of several runs: the seed of a run that failed is given as FAULT_SEED to begin with it. */
export const chanceOf = (run: number): Between => betweenBy(seededRandom(SEED + run));
