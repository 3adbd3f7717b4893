import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { z } from 'zod';
import { UsageError } from '../demo/options';
import { ruleSetSchema, type RuleSet } from '../src/modules/games/rule-set';
import { faultsOf } from './faults';
import { profileSchema, type Profile } from './profile';

export interface NamedRules {
  name: string;
  ruleSet: RuleSet;
}

/** @throws UsageError with every fault of the file */
export const readRules = (path: string): NamedRules => ({
  name: basename(path, '.json'),
  ruleSet: read(path, ruleSetSchema, 'rule set', 'docs/rule-sets.md'),
});

/** @throws UsageError with every fault of the file */
export const readProfile = (path: string | undefined): Profile =>
  path === undefined ? profileSchema.parse({}) : read(path, profileSchema, 'population', 'docs/simulate.md');

function read<Schema extends z.ZodType>(path: string, schema: Schema, what: string, docs: string): z.output<Schema> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UsageError(`The ${what} ${path} cannot be read: ${(error as Error).message}.`);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new UsageError(`The ${what} ${path} is not valid:\n${faultsOf(parsed.error)}\n${docs} describes every field.`);
}
