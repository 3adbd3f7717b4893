/**
 * Speed and memory of the embedded database: `npm run bench:embedded -- [--rounds N] [--seconds S] [--json FILE]`. Absolute figures depend on the machine, so
 * each is also given in bare BSON round trips that the same machine did in the same run.
 */
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import mongoose from 'mongoose';
import { startServerProcess } from '../src/embedded-mongo/testing/server-process';
import { bareBson, duration, median, throughput } from './embedded/measure';
import { machine, table, type Figure, type Report } from './embedded/report';
import { prepare, smallDocument, type Bench } from './embedded/scenarios';

/** What ships: run from source it is slower, and nobody does. */
const BUILT = join(__dirname, '../dist/src/embedded-mongo/cli.js');
const CALLERS = [1, 20];

interface Settings {
  rounds: number;
  seconds: number;
  json?: string;
}

function settingsOf(args: string[]): Settings {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '0.5' },
      json: { type: 'string' },
    },
  });
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!(Number.isInteger(rounds) && rounds > 0 && seconds > 0)) throw new Error('--rounds and --seconds are positive numbers'); // prettier-ignore
  return { rounds, seconds, ...(values.json === undefined ? {} : { json: values.json }) };
}

/** Resident memory of a process in MB. */
function residentMB(pid: number): number {
  const status = `/proc/${pid}/status`;
  const kilobytes = existsSync(status)
    ? /VmRSS:\s+(\d+)/.exec(readFileSync(status, 'utf8'))?.[1]
    : execFileSync('ps', ['-o', 'rss=', '-p', String(pid)]).toString();
  return Number(kilobytes) / 1024;
}

/** Measures one server, memory-only or durable, and adds what the yardstick said in between. */
async function measure(mode: Figure['mode'], settings: Settings, yardstick: number[]): Promise<Figure[]> {
  const directory = mode === 'durable' ? await mkdtemp(join(tmpdir(), 'bench-embedded-')) : undefined;
  const server = await startServerProcess(directory === undefined ? [] : ['--dir', directory], [BUILT]);
  const connection = await mongoose.createConnection(server.uri, { dbName: 'bench', autoIndex: false, autoCreate: false, maxPoolSize: 20 }).asPromise(); // prettier-ignore
  try {
    const bench = await prepare(connection);
    const figures: Figure[] = [];
    for (const callers of CALLERS) figures.push(...(await speeds(bench, mode, callers, settings, yardstick)));
    return [...figures, ...(await sizes(bench, mode, settings, server.pid))];
  } finally {
    await connection.close();
    await server.end('SIGTERM');
    if (directory !== undefined) await rm(directory, { recursive: true });
  }
}

async function speeds(bench: Bench, mode: Figure['mode'], callers: number, settings: Settings, yardstick: number[]): Promise<Figure[]> {
  const measured = bench.scenarios.map(({ name }) => ({ name, rounds: [] as number[] }));
  // the first round warms up; scenarios alternate, so that a disturbance does not hit one alone
  for (let round = 0; round <= settings.rounds; round += 1) {
    for (const [i, { run }] of bench.scenarios.entries()) {
      const speed = await throughput(run, callers, settings.seconds);
      if (round > 0) measured[i]!.rounds.push(speed);
    }
    yardstick.push(bareBson(smallDocument(round), settings.seconds / 5));
  }
  return measured.map(({ name, rounds }) => ({ mode, name, callers, value: median(rounds), unit: 'ops/s' }));
} // prettier-ignore

async function sizes(bench: Bench, mode: Figure['mode'], { rounds }: Settings, pid: number): Promise<Figure[]> {
  const before = residentMB(pid);
  await bench.fill();
  const grown = residentMB(pid) - before;
  const counts: number[] = [];
  for (let round = 0; round <= rounds; round += 1) counts.push(await duration(() => bench.count()));
  return [
    { mode, name: 'unindexed count over 100k', callers: 1, value: median(counts.slice(1)), unit: 'ms' },
    { mode, name: 'resident memory per 100k small documents', callers: 1, value: grown, unit: 'MB' },
  ];
}

async function main(): Promise<void> {
  const settings = settingsOf(process.argv.slice(2));
  bareBson(smallDocument(0), settings.seconds);
  const yardstick: number[] = [];
  const figures = [
    ...(await measure('memory', settings, yardstick)),
    ...(await measure('durable', settings, yardstick)),
  ];
  const perSecond = median(yardstick);
  for (const figure of figures) {
    if (figure.unit === 'ops/s') figure.ratio = figure.value / perSecond;
    if (figure.unit === 'ms') figure.ratio = (figure.value / 1000) * perSecond;
  }
  const { rounds, seconds, json } = settings;
  const report: Report = { machine: machine(), rounds, seconds, bareBson: perSecond, figures };
  process.stdout.write(`${table(report)}\n`);
  if (json !== undefined) await writeFile(json, `${JSON.stringify(report, null, 2)}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  process.exitCode = 1;
});
