import { readFlags, UsageError, wholeNumber } from '../demo/options';

export const SIMULATE_HELP = `
  npm run simulate -- --rules <file> [options]

  Runs the matchmaking engine on a virtual clock over a seeded population, or over a trace, and writes one HTML report.

    --rules <file>       a rule set, as in docs/rule-sets.md
    --against <file>     a second one, over the same tickets, for comparison
    --out <file>         the report                              (default simulation.html)

  Who comes:
    --arrivals <n>       tickets of a seeded population, 1 to 1000000     (default 20000)
    --hours <n>          in which they come, 1 to 168, from midnight UTC  (default 24)
    --players <n>        from how many players they are drawn    (default half as many as tickets)
    --population <file>  what the players are like: skill, regions, parties, patience, …  (docs/simulate.md)
    --seed <n>           chance                                  (default 1)
  or
    --trace <file>       recorded tickets, one JSON object a line (docs/simulate.md)
    --pool <key>         which pool of a recording with several

    --tick-ms <n>        how often the engine searches, 100 to 60000 (default 1000)
    --help               this text

  Exit code 0: the report is written. 2: something was wrong with the input, and is named.
`;

export interface SimulateOptions {
  help: boolean;
  rules: string;
  against: string | undefined;
  out: string;
  arrivals: number;
  hours: number;
  players: number;
  population: string | undefined;
  seed: number;
  trace: string | undefined;
  pool: string | undefined;
  tickMs: number;
}

const OF_POPULATIONS = ['arrivals', 'hours', 'players', 'population'];

/** @throws UsageError */
export function simulateOptions(args: readonly string[]): SimulateOptions {
  const names = [
    'rules',
    'against',
    'out',
    'arrivals',
    'hours',
    'players',
    'population',
    'seed',
    'trace',
    'pool',
    'tick-ms',
  ];
  const flags = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  const values = readFlags(args, { ...flags, help: { type: 'boolean', default: false } });
  const text = (name: string) => (values[name] === undefined ? undefined : String(values[name]));
  const number = (name: string, otherwise: number, min: number, max: number) =>
    wholeNumber(name, values[name] ?? String(otherwise), min, max);
  const help = values['help'] === true;
  const rules = text('rules');
  if (rules === undefined && !help)
    throw new UsageError(
      '--rules must name a rule set, such as simulate/examples/ranked-strict.json; --help explains.',
    );
  const misplaced = OF_POPULATIONS.find((name) => values[name] !== undefined);
  if (text('trace') !== undefined && misplaced)
    throw new UsageError(`--${misplaced} describes a population and --trace replaces it: give one of them.`);
  if (text('pool') !== undefined && text('trace') === undefined)
    throw new UsageError('--pool chooses from a recording: give it together with --trace.');
  const arrivals = number('arrivals', 20_000, 1, 1_000_000);
  return {
    help,
    rules: rules ?? '',
    against: text('against'),
    out: text('out') ?? 'simulation.html',
    arrivals,
    hours: number('hours', 24, 1, 168),
    players: number('players', Math.max(100, Math.ceil(arrivals / 2)), 1, 2_000_000),
    population: text('population'),
    seed: number('seed', 1, 0, 0xffffffff),
    trace: text('trace'),
    pool: text('pool'),
    tickMs: number('tick-ms', 1000, 100, 60_000),
  };
}
