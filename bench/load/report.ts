import { cpus, loadavg, totalmem } from 'node:os';
import { percentile } from '../../demo/statistics';
import type { ServersUsage } from './servers';

/** One ticket: moments in ms of the monotonic clock. */
export interface Shot {
  due: number;
  sent: number;
  acceptedAt: number | null;
  matchedAt: number | null;
  matches: Set<string>;
  refusal: string | null;
}

export interface Measured {
  instances: number;
  /** In words. */
  database: string;
  mode: string;
  offeredPerSecond: number;
  shots: readonly Shot[];
  before: ServersUsage;
  after: ServersUsage;
  /** Of those who submit. */
  playersCpuSeconds: number;
}

export type Report = ReturnType<typeof reportOf>;

export function reportOf({ shots, before, after, playersCpuSeconds, ...asked }: Measured) {
  const refusals = shots.flatMap((shot) => shot.refusal ?? []);
  const per1000 = (seconds: number | null) => (seconds === null ? null : rounded((1000 * seconds) / shots.length, 100));
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
    loadAverage: rounded(loadavg()[0] ?? null),
    ...asked,
    tickets: shots.length,
    acceptedPerSecond: perSecond(shots, 'acceptedAt'),
    matchedPerSecond: perSecond(shots, 'matchedAt'),
    submitToAcceptedMs: spread(times(shots, 'acceptedAt')),
    submitToMatchedMs: spread(times(shots, 'matchedAt')),
    sentLateMs: spread(shots.map((shot) => Math.max(0, shot.sent - shot.due))),
    refused: refusals.length,
    refusals: [...new Set(refusals)],
    unmatched: shots.filter((shot) => shot.acceptedAt !== null && shot.matchedAt === null).length,
    doubled: shots.filter((shot) => shot.matches.size > 1).length,
    cpuSecondsPer1000: {
      servers: per1000(after.cpuSeconds - before.cpuSeconds),
      database: per1000(difference(before.databaseCpuSeconds, after.databaseCpuSeconds)),
      players: per1000(playersCpuSeconds),
    },
    serverLoopDelayP99Ms: rounded(after.loopDelayP99Ms),
    serverPeakRssMb: Math.round(after.peakRssBytes / 2 ** 20),
  };
}

export function tableOf(result: Report): string {
  const word = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, part]) => `${/^\d/.test(key) ? '' : `${key} `}${String(part)}`)
          .join('   ')
      : String(value);
  return `\n${Object.entries(result)
    .map(([name, value]) => `  ${name.padEnd(26)}${word(value)}`)
    .join('\n')}\n\n`;
}

const times = (shots: readonly Shot[], end: 'acceptedAt' | 'matchedAt'): number[] =>
  shots.flatMap((shot) => (shot[end] === null ? [] : [shot[end] - shot.due]));

const spread = (values: readonly number[]) => ({
  p50: rounded(percentile(values, 0.5)),
  p95: rounded(percentile(values, 0.95)),
  p99: rounded(percentile(values, 0.99)),
  max: rounded(percentile(values, 1)),
});

const rounded = (value: number | null, per = 10): number | null =>
  value === null ? null : Math.round(value * per) / per;

/** How many per second, from the first one due to the last one done. */
function perSecond(shots: readonly Shot[], end: 'acceptedAt' | 'matchedAt'): number | null {
  const done = shots.reduce((count, shot) => count + (shot[end] === null ? 0 : 1), 0);
  const last = shots.reduce((latest, shot) => Math.max(latest, shot[end] ?? 0), 0);
  return done === 0 ? null : rounded((1000 * done) / (last - (shots[0]?.due ?? 0)));
}

const difference = (from: number | null, to: number | null): number | null =>
  from === null || to === null ? null : to - from;
