/** The figures as a table. */
import { cpus, totalmem } from 'node:os';

export interface Figure {
  mode: 'memory' | 'durable';
  name: string;
  callers: number;
  /** Operations per second, or milliseconds of one. */
  value: number;
  unit: 'ops/s' | 'ms' | 'MB';
  /** The same as a share of (or in) bare BSON round trips; none for memory. */
  ratio?: number;
}

export interface Report {
  machine: { cpu: string; cores: number; memoryGB: number; node: string; platform: string };
  rounds: number;
  seconds: number;
  /** Bare BSON round trips a second, the median over the whole run. */
  bareBson: number;
  figures: Figure[];
}

export const machine = (): Report['machine'] => ({
  cpu: cpus()[0]?.model ?? 'unknown',
  cores: cpus().length,
  memoryGB: Math.round(totalmem() / 2 ** 30),
  node: process.version,
  platform: `${process.platform} ${process.arch}`,
});

const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : value.toPrecision(3);

function ratioOf({ unit, ratio }: Figure): string {
  if (ratio === undefined) return '';
  return unit === 'ms' ? `${number(ratio)} round trips` : `1 : ${number(1 / ratio)}`;
}

export function table({ machine: m, rounds, seconds, bareBson, figures }: Report): string {
  const rows = figures.map((figure) => [
    figure.mode,
    figure.name,
    String(figure.callers),
    `${number(figure.value)} ${figure.unit}`,
    ratioOf(figure),
  ]);
  const all = [['mode', 'operation', 'callers', 'median', 'to bare BSON'], ...rows];
  const widths = all[0]!.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const lines = all.map((row) => row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join('  ').trimEnd()); // prettier-ignore
  return [
    `${m.cpu}, ${m.cores} cores, ${m.memoryGB} GB, ${m.platform}, Node ${m.node}`,
    `medians of ${rounds} rounds of ${seconds} s, through mongoose on loopback, the server in a process of its own`,
    `bare BSON: ${number(bareBson)} round trips/s of a like document (serialize and deserialize), measured between the rounds`,
    '',
    ...lines,
  ].join('\n');
}
