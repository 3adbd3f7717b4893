import { REGIONS, type Region } from './ticket';

/** Sets of regions as bits: bit i stands for REGIONS[i]. */

export const ANY_REGION = (1 << REGIONS.length) - 1;

export const maskOf = (regions: readonly Region[]): number =>
  regions.reduce((mask, region) => mask | (1 << REGIONS.indexOf(region)), 0);

/** Where people are sent when their own region is empty: the usual undersea cables. */
const NEARBY: Record<Region, readonly Region[]> = {
  NA: ['SA', 'EU'],
  EU: ['AF', 'NA'],
  AS: ['OC'],
  SA: ['NA'],
  OC: ['AS'],
  AF: ['EU'],
};

const NEARBY_MASKS = REGIONS.map((region) => maskOf(NEARBY[region]));

/** These regions and their neighbours. */
export const withNearby = (mask: number): number =>
  NEARBY_MASKS.reduce((wider, neighbours, bit) => (mask & (1 << bit) ? wider | neighbours : wider), mask);
