import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readOperations, RecordingFault } from '../src/modules/matchmaking/recording/operations';
import { comparisonText, verdictText } from '../src/modules/matchmaking/recording/report';
import { verify } from '../src/modules/matchmaking/recording/verify';
import { whatIf } from '../src/modules/matchmaking/recording/what-if';
import { loadRuleSet, ScenarioFault } from '../src/modules/matchmaking/scenarios/load';

/**
 * `npm run replay -- <file>`: takes the engine through a recording of a server (MATCHMAKING_RECORD) and verifies that it comes to
 * the same matches, bit for bit; exits with 1 where it does not. With `--rules` it tells what other rules would have made of
 * the same tickets; `--pool` names the pool that they are for, where the recording has several.
 */

const USAGE = 'Usage: npm run replay -- <recording> [--rules <rule-set.json> [--pool <gameId>:<mode>]] [--json]';

async function main(): Promise<void> {
  const { file, rules, pool, json } = readArguments();
  const operations = () => readOperations(createInterface({ input: createReadStream(file), crlfDelay: Infinity }));
  if (rules === undefined) {
    const verdict = await verify(operations());
    print(json ? JSON.stringify(verdict) : verdictText(verdict));
    if (verdict.difference) process.exitCode = 1;
    return;
  }
  const ruleSet = loadRuleSet(rules);
  const used = new Set<string>();
  const comparison = await whatIf(operations, (key, recorded) => {
    if (pool !== undefined && pool !== key) return recorded;
    used.add(key);
    return ruleSet;
  });
  if (used.size === 0) throw new RecordingFault(`${file} has no pool ${pool ?? ''}`);
  const shown = { ...comparison, pools: Object.fromEntries(comparison.pools) };
  print(json ? JSON.stringify(shown) : comparisonText(comparison));
}

function readArguments() {
  const options = { rules: { type: 'string' }, pool: { type: 'string' }, json: { type: 'boolean' } } as const;
  try {
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [file, ...more] = positionals;
    if (file === undefined || more.length > 0) throw new RecordingFault('name one recording');
    if (values.pool !== undefined && values.rules === undefined) throw new RecordingFault('--pool goes with --rules');
    if (!existsSync(file)) throw new RecordingFault(`${file}: there is no such file`);
    return { file, ...values };
  } catch (error) {
    throw new RecordingFault(`${(error as Error).message}\n${USAGE}`);
  }
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

main().catch((error: unknown) => {
  if (!(error instanceof RecordingFault || error instanceof ScenarioFault)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
});
