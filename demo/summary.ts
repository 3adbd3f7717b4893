import { lossesOf } from './losses';
import type { Outcome } from './run';
import { mean, percentile } from './statistics';

/** The table at the end. */
export function summaryOf({ stage, broken }: Outcome, elapsedMs: number): string {
  const { tally, ledger, cast } = stage;
  const matched = [...ledger.matches.values()].reduce((sum, match) => sum + match.teams.flat().length, 0);
  const once = new Set([...ledger.matches.values()].flatMap((match) => match.teams.flat().map((m) => m.userId)));
  const games = [...new Set(cast.modes.map((mode) => `${mode.game} (${mode.mode})`))];
  const parties = cast.groups.filter(({ members }) => members.length > 1).length;
  const lines = tally.linesExpected - tally.linesHeard;
  const { gaps, unanswered } = lossesOf(stage);
  const rows: [string, string][] = [
    ['modes', games.join(', ')],
    ['players', `${stage.actors.length}: ${cast.groups.length - parties} alone, the others in ${parties} parties`],
    ['tickets', `${ledger.tickets.size}`],
    [
      'matches',
      `${ledger.matches.size}, all of them played: ${ledger.matches.size === tally.completed ? 'yes' : 'no'}`,
    ],
    ['players matched', `${once.size} (${matched} seats)`],
    ['wait p50 / p95', `${inSeconds(percentile(tally.waitsMs, 0.5))} / ${inSeconds(percentile(tally.waitsMs, 0.95))}`],
    ['mean skill spread', spreadOf(mean(tally.spreads), tally.spreads.length)],
    ['declined or missed', `${tally.declined}`],
    ['lost a connection', `${tally.reconnected}, and learned of everything after coming back`],
    ['made good', `${gaps} gaps in the news, ${unanswered} requests without an answer`],
    ['nobody left for', `${tally.remainders.tickets} tickets of ${tally.remainders.players} players, cancelled`],
    ['expired', `${tally.expired}`],
    ['chat lines lost', `${lines} of ${tally.linesExpected}`],
    ['lost or broken', `${broken.length}`],
    ['took', inSeconds(elapsedMs)],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  const table = rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`).join('\n');
  if (broken.length === 0) return `\n${table}\n\n  Everything held.\n`;
  const shown = broken.slice(0, MOST_SHOWN).map((what) => `  - ${what}`);
  if (broken.length > MOST_SHOWN) shown.push(`  … and ${broken.length - MOST_SHOWN} more`);
  return `\n${table}\n\n  Broken:\n${shown.join('\n')}\n`;
}

const MOST_SHOWN = 20;

const inSeconds = (ms: number | null): string => (ms === null ? '-' : `${(ms / 1000).toFixed(1)} s`);

const spreadOf = (spread: number | null, matches: number): string =>
  spread === null ? '-' : `${spread.toFixed(1)} (rating points, over ${matches} rated matches)`;
