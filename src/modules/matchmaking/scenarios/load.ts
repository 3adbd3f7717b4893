import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ruleSetSchema, shippedGames, type RuleSet } from '../../games';
import { faultsOf, scenarioFile, type RuleSource, type Scenario } from './scenario.schema';

/** A scenario with the rules of each of its pools. */
export interface LoadedScenario extends Scenario {
  file: string;
  ruleSets: Map<string, RuleSet>;
}

/** A file that cannot be used; the message names the file and every fault in it. */
export class ScenarioFault extends Error {}

/** The pool of a scenario that names none. */
export const ONLY_POOL = 'pool';

/** The scenario files among these files and, at any depth, folders; JSON schemas aside. @throws ScenarioFault */
export async function scenarioFiles(paths: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const path of paths) {
    const kind = await stat(path).catch(() => null);
    if (!kind) throw new ScenarioFault(`${path}: there is no such file or folder`);
    if (!kind.isDirectory()) found.push(path);
    else
      for (const entry of await readdir(path, { recursive: true }))
        if (entry.endsWith('.json') && !entry.endsWith('.schema.json')) found.push(join(path, entry));
  }
  return found.sort();
}

/** @throws ScenarioFault naming every fault by its path in the file */
export function loadScenarios(file: string): LoadedScenario[] {
  const parsed = scenarioFile.safeParse(readJson(file));
  if (!parsed.success) throw fault(file, faultsOf(parsed.error));
  const { rules, scenarios } = parsed.data;
  return scenarios.map((scenario, i) => {
    const at = `scenarios.${i}`;
    const sources = scenario.pools ?? { [ONLY_POOL]: scenario.rules ?? rules };
    const ruleSets = Object.entries(sources).map(([pool, source]): [string, RuleSet] => {
      if (source === undefined) throw fault(file, [`${at}.rules: is missing, here and at the top of the file`]);
      return [pool, ruleSetOf(source, file, at)];
    });
    return { ...scenario, file, ruleSets: new Map(ruleSets) };
  });
}

function ruleSetOf(source: RuleSource, file: string, at: string): RuleSet {
  if (typeof source === 'string') {
    const [slug, key] = source.split('/');
    const mode = shippedGames()
      .find((game) => game.slug === slug)
      ?.modes.find((one) => one.key === key);
    if (!mode) throw fault(file, [`${at}.rules: the catalogue has no mode ${source}`]);
    return mode.ruleSet;
  }
  if (!('file' in source)) return source;
  return loadRuleSet(resolve(dirname(file), source.file));
}

/** A rule set in a file of its own. @throws ScenarioFault naming every fault by its path in the file */
export function loadRuleSet(file: string): RuleSet {
  const parsed = ruleSetSchema.safeParse(readJson(file));
  if (!parsed.success) throw fault(file, faultsOf(parsed.error));
  return parsed.data;
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw fault(file, [(error as Error).message]);
  }
}

const fault = (file: string, faults: readonly string[]): ScenarioFault =>
  new ScenarioFault(`${file} cannot be used:\n${faults.map((line) => `  - ${line}`).join('\n')}`);
