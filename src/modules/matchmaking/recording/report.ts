import type { Figures } from './figures';
import type { Verdict } from './verify';
import type { Comparison } from './what-if';

/** What a replay has shown, for people. */

export function verdictText({ runs, passes, matches, changes, full, difference }: Verdict): string {
  const what = `${matches} matches in ${passes} passes, ${changes} changes of tickets, ${runs} run${runs === 1 ? '' : 's'} of the server`;
  const lines = [
    difference === null
      ? `The same, bit for bit: ${what}.`
      : `Differs in the pass at ${new Date(difference.now).toISOString()}, after ${what}:\n  recorded  ${JSON.stringify(difference.recorded)}\n  replayed  ${JSON.stringify(difference.replayed)}`,
  ];
  if (full) lines.push('The recording had reached its limit and ended there.');
  return lines.join('\n');
}

/** A table for each pool, after the matches that both sides have and those that only one has. */
export function comparisonText({ tickets, same, missing, other, pools }: Comparison): string {
  const total = `${tickets} tickets. Matches of the same players: ${same}; only recorded: ${missing.length}; only replayed: ${other.length}.`;
  return [total, ...[...pools].map(([pool, sides]) => `\n${pool}\n${table(sides.recorded, sides.replayed)}`)].join(
    '\n',
  );
}

const ROWS: [name: string, of: (figures: Figures) => number | null, digits: number][] = [
  ['matches', (f) => f.matches, 0],
  ['tickets matched', (f) => f.tickets, 0],
  ['wait, mean (s)', (f) => seconds(f.waits?.mean), 1],
  ['wait, p50 (s)', (f) => seconds(f.waits?.p50), 1],
  ['wait, p90 (s)', (f) => seconds(f.waits?.p90), 1],
  ['wait, p95 (s)', (f) => seconds(f.waits?.p95), 1],
  ['wait, longest (s)', (f) => seconds(f.waits?.max), 1],
  ['spread, mean (mu)', (f) => f.meanSpread, 2],
  ['quality, mean', (f) => f.meanQuality, 3],
];

const seconds = (ms: number | undefined): number | null => (ms === undefined ? null : ms / 1000);

function table(recorded: Figures, replayed: Figures): string {
  // `|| 0`: no -0.0
  const shown = (x: number | null, digits: number) =>
    x === null ? '-' : (Number(x.toFixed(digits)) || 0).toFixed(digits);
  const rows = ROWS.map(([name, of, digits]) => {
    const [before, after] = [of(recorded), of(replayed)];
    const change = shown(before === null || after === null ? null : after - before, digits);
    const sign = Number(change) > 0 ? '+' : '';
    return [name, shown(before, digits), shown(after, digits), sign + change];
  });
  return [['', 'recorded', 'replayed', 'change'], ...rows]
    .map(([name = '', ...cells]) => `  ${name.padEnd(20)}${cells.map((cell) => cell.padStart(11)).join('')}`)
    .join('\n');
}
