import { relative } from 'node:path';
import type { LoadedScenario } from './load';
import type { Difference, Waiting } from './run';

export interface Outcome {
  scenario: LoadedScenario;
  differences: Difference[];
}

/** What differs, for people: every scenario that failed, then how many passed. */
export function reportOf(outcomes: readonly Outcome[]): string {
  const failed = outcomes.filter(({ differences }) => differences.length > 0);
  const files = new Set(outcomes.map(({ scenario }) => scenario.file)).size;
  const total = `${outcomes.length - failed.length} passed, ${failed.length} failed: ${plural(outcomes.length, 'scenario')} in ${plural(files, 'file')}`;
  return [...failed.map(failure), total].join('\n');
}

function failure({ scenario, differences }: Outcome): string {
  const lines = [`FAILED  ${scenario.name}`, `        ${relative(process.cwd(), scenario.file)}`];
  for (const { at, expected, got, waiting } of differences) {
    lines.push(`  at ${at} s`, `    expected  ${expected}`, `    got       ${got}`);
    for (const one of waiting) lines.push(`    ${whyItWaits(one)}`);
  }
  return `${lines.join('\n')}\n`;
}

/** The engine's explanation in one line. */
function whyItWaits({ ticket, waited, until, explanation }: Waiting): string {
  const { candidates, compatible, excludedBy, nearestMisses, nextExpansion, opensAt, players } = explanation;
  const reasons = Object.entries(excludedBy).filter(([, count]) => count > 0);
  const parts = [
    `of ${plural(candidates, 'other ticket')} ${compatible} would do`,
    ...reasons.map(([rule, count]) => `${rule} keeps ${count} away`),
  ];
  const near = nearestMisses.find((miss) => miss.excess > 0);
  if (near) parts.push(`a rating ${rounded(near.distance)} away is ${rounded(near.excess)} too far`);
  if (players.available < players.min) parts.push(`${players.available} of at least ${players.min} players are there`);
  if (opensAt !== null) parts.push(`it waits for a game that it loves more until ${until} s`);
  else if (nextExpansion) parts.push(`its rules relax next at ${until} s, which lets in ${nextExpansion.admits} more`);
  return `${ticket} has waited ${waited} s: ${parts.join('; ')}`;
}

const plural = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
const rounded = (x: number): number => Math.round(x * 100) / 100;
