import { z } from 'zod';
import { REGIONS } from '../src/modules/matchmaking/engine';

/** What a population is like: data, so that a studio can describe its own players. Every field has a default. */

const share = z.number().min(0).max(1);
const weights = z
  .record(z.string().min(1).max(32), z.number().min(0))
  .refine((all) => Object.values(all).some((weight) => weight > 0), 'must give a weight above 0 to something');

const region = z.strictObject({
  weight: z.number().min(0).describe('How many live there, against the other regions'),
  utcOffset: z.number().min(-12).max(14).describe('Hours: their evening is when it is evening there'),
  languages: weights.describe('First languages there'),
});

const REGION_DEFAULTS = {
  EU: { weight: 34, utcOffset: 1, languages: { en: 35, de: 20, fr: 16, ru: 12, es: 10, pl: 7 } },
  NA: { weight: 28, utcOffset: -6, languages: { en: 85, es: 12, fr: 3 } },
  AS: { weight: 20, utcOffset: 8, languages: { zh: 45, ja: 22, ko: 18, en: 15 } },
  SA: { weight: 10, utcOffset: -3, languages: { pt: 60, es: 40 } },
  OC: { weight: 5, utcOffset: 10, languages: { en: 100 } },
  AF: { weight: 3, utcOffset: 2, languages: { en: 50, fr: 30, ar: 20 } },
};

/** Share of a day's arrivals by local hour: quiet at dawn, busiest at nine in the evening. */
const DAY = [
  3.2, 2, 1.2, 0.8, 0.6, 0.6, 0.8, 1.2, 1.8, 2.4, 3, 3.4, 3.8, 4, 4.2, 4.6, 5.2, 6, 7, 8.2, 9.2, 9.4, 7.6, 5.2,
];

export const profileSchema = z.strictObject({
  skill: z
    .strictObject({ mean: z.number().min(0).max(50), deviation: z.number().positive().max(20) })
    .default({ mean: 25, deviation: 6 })
    .describe('How well people really play, normally distributed on the scale of mu'),
  newcomers: share.default(0.1).describe('Players without a rating: mu 25, sigma 25/3, whatever their skill'),
  regions: z
    .partialRecord(z.enum(REGIONS), region)
    .default(REGION_DEFAULTS)
    .refine((all) => Object.values(all).some((one) => one.weight > 0), 'must give a weight above 0 to a region'),
  hours: z
    .array(z.number().min(0))
    .length(24)
    .refine((all) => all.some((weight) => weight > 0), 'must have an hour above 0')
    .default(DAY)
    .describe('Arrivals by local hour of the day'),
  parties: z
    .array(z.number().min(0))
    .min(1)
    .max(20)
    .refine((all) => all.some((weight) => weight > 0), 'must have a size above 0')
    .default([62, 20, 9, 4, 5])
    .describe('How many tickets are of 1, 2, 3, … players'),
  roles: weights.nullable().default(null).describe('How popular each role is; null: as many as the rules need'),
  regionPreference: weights.default({ preferred: 70, strict: 20, any: 10 }),
  languagePreference: weights.default({ any: 55, preferred: 35, strict: 10 }),
  similarSkill: share.default(0.92).describe('Tickets that ask for players of similar skill'),
  blocks: share.default(0.05).describe('Players who have blocked somebody'),
  patience: z
    .strictObject({ medianSeconds: z.number().positive().max(7200), spread: z.number().min(0).max(2) })
    .default({ medianSeconds: 300, spread: 0.6 })
    .describe('Log-normal; spread is the standard deviation of the logarithm'),
  churn: share.default(0.2).describe('Of those who gave up: how many do not come back that day'),
});

export type Profile = z.output<typeof profileSchema>;
