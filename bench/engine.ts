import { writeFileSync } from 'node:fs';
import { arch, cpus, loadavg, totalmem } from 'node:os';
import { Engine } from '../src/modules/matchmaking/engine';
import {
  fives,
  flexible,
  NOW,
  pairs,
  picky,
  seeded,
  sparse,
  teams,
  ticketsOf,
  uneven,
  type Workload,
  id,
} from './engine-workloads';

/**
 * The speed of the engine on seeded pools: `npm run bench:engine -- [--max 1000000] [--json file]`. A table of medians of several
 * runs, and the same as JSON. The aims are meant for the time on the clock, of code that is warm: the first runs, in which it is
 * compiled, are told apart. Another process on the machine lengthens that; the CPU time beside it suffers less, and counts the
 * garbage collector's and the compiler's other threads too, which work at the same time on a second core.
 */

/** Runs that do not count, for the code is being compiled: so many ms of them. */
const WARM_UP_MS = 1500;

interface Row {
  workload: string;
  tickets: number;
  /** One whole pass, ms on the clock: the median and the fastest of the warm runs, and the very first run. */
  passMs: number;
  bestMs: number;
  coldMs: number;
  /** CPU time of all threads, ms: the median of the warm runs. */
  cpuMs: number;
  /** Handing the tickets to the engine, before the pass. */
  addMs: number;
  /** The longest that one step of a pass held the event loop: the median of the runs. */
  longestStepMs: number;
  matches: number;
  matchedPlayers: number;
  meanQuality: number;
}

/** ms of CPU time of this process since `begin`. */
const cpuSince = (begin: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(begin);
  return (user + system) / 1000;
};
const median = (numbers: readonly number[]): number =>
  [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? 0;
const rounded = (x: number, digits = 1) => Math.round(x * 10 ** digits) / 10 ** digits;

function onePass(workload: Workload, count: number) {
  const tickets = ticketsOf(workload, count, 1);
  const engine = new Engine(1);
  engine.setPool('pool', workload.ruleSet);
  const begin = performance.now();
  for (const ticket of tickets) engine.add('pool', ticket);
  const added = performance.now();
  const cpu = process.cpuUsage();
  const figures = { matches: 0, players: 0, quality: 0, longest: 0 };
  let last = added;
  for (const proposal of engine.pass(NOW)) {
    const at = performance.now();
    figures.longest = Math.max(figures.longest, at - last);
    last = at;
    if (!proposal) continue;
    figures.matches += 1;
    figures.quality += proposal.quality;
    for (const team of proposal.teams) figures.players += team.length;
  }
  return { engine, add: added - begin, cpu: cpuSince(cpu), pass: performance.now() - added, ...figures };
}

/**
 * Engines that live on, as a server's does: V8 throws compiled code away when all objects of the shapes that it was made for are
 * gone, and runs that begin with a collection of garbage would time the compiler.
 */
const living: Engine[] = [];

/** Runs until the code is compiled. @returns the first run */
function warmUp(workload: Workload, count: number) {
  const begin = performance.now();
  const first = onePass(workload, count);
  living.push(onePass(workload, Math.min(count, 1000)).engine);
  while (performance.now() - begin < WARM_UP_MS) onePass(workload, count);
  return first;
}

function fullPass(workload: Workload, count: number): Row {
  const runs = count >= 1_000_000 ? 3 : count >= 100_000 ? 5 : count >= 10_000 ? 15 : 30;
  const cold = warmUp(workload, count);
  const results = Array.from({ length: runs }, () => {
    globalThis.gc?.();
    const { engine: _, ...result } = onePass(workload, count);
    return result;
  });
  const [first] = results;
  return {
    workload: workload.name,
    tickets: count,
    passMs: rounded(median(results.map((run) => run.pass))),
    bestMs: rounded(Math.min(...results.map((run) => run.pass))),
    coldMs: rounded(cold.pass),
    cpuMs: rounded(median(results.map((run) => run.cpu))),
    addMs: rounded(median(results.map((run) => run.add))),
    longestStepMs: rounded(median(results.map((run) => run.longest))),
    matches: first?.matches ?? 0,
    matchedPlayers: first?.players ?? 0,
    meanQuality: rounded((first?.quality ?? 0) / (first?.matches || 1), 3),
  };
}

/**
 * 50,000 wait unmatched; each tick is a second in which 1,000 come, and of those that wait some have their limits widened. After
 * each tick the oldest give up, or more come, so that 50,000 wait again.
 */
function steadyState() {
  const waiting = 50_000;
  const arriving = 1000;
  const ticks = 60;
  const random = seeded(2);
  const engine = new Engine(1);
  engine.setPool('pool', picky.ruleSet);
  let next = 0;
  let now = NOW;
  // some match at once: it is filled until so many wait
  while ((engine.pool('pool')?.depth ?? 0) < waiting) {
    while ((engine.pool('pool')?.depth ?? 0) < waiting) engine.add('pool', picky.ticket(random, next++));
    for (const _ of engine.pass(now));
  }
  const depth = engine.pool('pool')?.depth ?? 0;
  const costs: number[] = [];
  const cpuCosts: number[] = [];
  let matches = 0;
  let oldest = 0;
  for (let tick = 0; tick < ticks; tick++) {
    now += 1000;
    const coming = Array.from({ length: arriving }, () => ({ ...picky.ticket(random, next++), waitingSince: now }));
    const cpu = process.cpuUsage();
    const begin = performance.now();
    for (const ticket of coming) engine.add('pool', ticket);
    for (const proposal of engine.pass(now)) if (proposal) matches += 1;
    for (; (engine.pool('pool')?.depth ?? 0) > waiting; oldest++) engine.remove(id(oldest * 8));
    costs.push(performance.now() - begin);
    cpuCosts.push(cpuSince(cpu));
    while ((engine.pool('pool')?.depth ?? 0) < waiting)
      engine.add('pool', { ...picky.ticket(random, next++), waitingSince: now });
  }
  costs.sort((a, b) => a - b);
  return {
    waitingAtFirst: depth,
    waitingAtLast: engine.pool('pool')?.depth ?? 0,
    arrivalsPerTick: arriving,
    tickMs: {
      cpu: rounded(median(cpuCosts), 2),
      p50: rounded(median(costs), 2),
      p95: rounded(costs[Math.floor(ticks * 0.95)] ?? 0, 2),
    },
    matches,
  };
}

/** What a waiting ticket takes inside the engine, its id and its players' ids included. */
function memory() {
  const count = 100_000;
  const measure = () => {
    // what one collection finds dead, the next one gives back
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const engine = new Engine(1);
  engine.setPool('pool', picky.ruleSet);
  const random = seeded(3);
  const before = measure();
  for (let i = 0; (engine.pool('pool')?.depth ?? 0) < count; i++) {
    engine.add('pool', picky.ticket(random, i));
    if (i % 10_000 === 0) for (const _ of engine.pass(NOW));
  }
  for (const _ of engine.pass(NOW));
  const depth = engine.pool('pool')?.depth ?? 0;
  return globalThis.gc ? { tickets: depth, bytesPerTicket: Math.round((measure() - before) / depth) } : null;
}

const option = (name: string): string | undefined => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
};

const most = Number(option('max') ?? 1_000_000);
const sizes: [Workload, number[]][] = [
  [fives, [100, 1000, 10_000, 100_000, 1_000_000]],
  [pairs, [10_000, 100_000]],
  [flexible, [10_000, 100_000]],
  [teams, [1000, 10_000]],
  [uneven, [1000, 10_000]],
  [sparse, [10_000, 50_000]],
];

const rows: Row[] = [];
console.table({
  machine: `${cpus()[0]?.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${arch()}, Node ${process.version}`,
  'load average': loadavg()
    .map((load) => load.toFixed(1))
    .join(' '),
});
// before there is anything else whose death could be counted for it
const perTicket = memory();
for (const [workload, counts] of sizes)
  for (const count of counts.filter((n) => n <= most)) {
    rows.push(fullPass(workload, count));
    console.error(`${workload.name}: ${count} done`);
  }
const steady = steadyState();
console.table(rows);
console.table({ 'steady state': { ...steady, tickMs: JSON.stringify(steady.tickMs) } });
console.log(
  perTicket ? `memory: ${perTicket.bytesPerTicket} bytes a waiting ticket` : 'memory: run node with --expose-gc',
);
const file = option('json');
if (file)
  writeFileSync(
    file,
    JSON.stringify({ machine: cpus()[0]?.model, node: process.version, rows, steady, memory: perTicket }, null, 2),
  );
