import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../demo/options';
import type { Source } from './arrivals';
import { figuresOf, frameOf } from './figures';
import { readProfile, readRules, type NamedRules } from './json-files';
import { simulateOptions, SIMULATE_HELP, type SimulateOptions } from './options';
import { createPopulation } from './population';
import { createProgress } from './progress';
import { decimal, duration, percent } from './report/format';
import { toPage } from './report/page';
import type { RunReport } from './report/report';
import { simulate } from './run';
import { readTrace } from './trace';

/** Rule sets tried out on a virtual day: see `--help`. Exit code 0: the report is written; 2: it could not be. */
function main(): void {
  const options = simulateOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(SIMULATE_HELP);
    return;
  }
  const sets = [options.rules, options.against].flatMap((path) => (path === undefined ? [] : readRules(path)));
  const source = sourceOf(options, sets);
  const frame = frameOf(source);
  process.stderr.write(`\n  ${source.title}\n\n`);
  const runs = named(sets).map(({ name, ruleSet }): RunReport => {
    const onProgress = createProgress(name, source.startMs, process.stderr);
    const log = simulate(ruleSet, source, { seed: options.seed, tickMs: options.tickMs, onProgress });
    if (process.stderr.isTTY) process.stderr.write('\r\u001b[2K');
    const run = { name, ruleSet, figures: figuresOf(log, frame), matches: log.matches };
    process.stderr.write(`${summaryOf(run)}\n`);
    return run;
  });
  write(options.out, toPage({ source, frame, runs, tickMs: options.tickMs }));
  process.stderr.write(`\n  Report: ${resolve(options.out)}\n`);
}

function sourceOf(options: SimulateOptions, sets: readonly NamedRules[]): Source {
  if (options.trace !== undefined) return readTrace(options.trace, options.pool);
  return createPopulation({
    profile: readProfile(options.population),
    count: options.arrivals,
    hours: options.hours,
    players: options.players,
    seed: options.seed,
    roles: sets.find(({ ruleSet }) => ruleSet.roles)?.ruleSet.roles ?? null,
  });
}

/** Two files of one name are told apart. */
const named = (sets: readonly NamedRules[]): readonly NamedRules[] =>
  sets.length === 2 && sets[0]?.name === sets[1]?.name
    ? sets.map((set, i) => ({ ...set, name: `${set.name} (${i === 0 ? '--rules' : '--against'})` }))
    : sets;

const summaryOf = ({ name, figures: { matched, waits, means }, matches }: RunReport): string =>
  `  ${name}: ${percent(matched)} matched in ${matches.length} matches, waits ${duration(waits.median)} (median) ` +
  `and ${duration(waits.p95)} (95th percentile), mean rating spread ${decimal(means.spread)}`;

function write(path: string, page: string): void {
  try {
    writeFileSync(path, page);
  } catch (error) {
    throw new UsageError(`The report cannot be written to ${path}: ${(error as Error).message}.`);
  }
}

try {
  main();
} catch (error) {
  const known = error instanceof UsageError;
  process.stderr.write(`${known ? error.message : `The simulation could not run: ${(error as Error).stack}`}\n`);
  process.exitCode = 2;
}
