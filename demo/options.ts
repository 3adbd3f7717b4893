import { parseArgs, type ParseArgsConfig } from 'node:util';

/** Command lines of the demo and of the benchmarks: what is wrong is named, together with what there is. */

export class UsageError extends Error {
  override name = 'UsageError';
}

type Flags = NonNullable<ParseArgsConfig['options']>;
type Value = string | boolean | (string | boolean)[] | undefined;
type Values = Record<string, Value>;

/** @throws UsageError that names the option and lists the known ones */
export function readFlags(args: readonly string[], options: Flags): Values {
  try {
    return parseArgs({ args: [...args], options, strict: true, allowPositionals: false }).values;
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    const reason = (error as Error).message.split('. ')[0] ?? 'The command line could not be read';
    throw new UsageError(`${reason}. The options are ${known.join(', ')}; --help explains them.`);
  }
}

/** @throws UsageError */
export function wholeNumber(name: string, value: Value, min: number, max: number): number {
  const number = /^\d+$/.test(String(value)) ? Number(value) : Number.NaN;
  if (number >= min && number <= max) return number;
  throw new UsageError(`--${name} must be a whole number from ${min} to ${max}, not "${String(value)}".`);
}

/** An address without a slash at its end, or undefined. @throws UsageError */
export function serverUrl(value: Value): string | undefined {
  if (value === undefined) return undefined;
  const url = URL.parse(String(value));
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href.replace(/\/+$/, '');
  throw new UsageError(
    `--url must be the address of a running server such as http://127.0.0.1:3000, not "${String(value)}".`,
  );
}

export interface DemoOptions {
  players: number;
  seed: number;
  rounds: number;
  game: string | undefined;
  url: string | undefined;
  help: boolean;
}

export const DEMO_HELP = `
  npm run demo -- [options]

  Simulated players register, connect, search in mixed modes alone and as parties, meet in lobbies, ready up,
  chat and report results, while the demo checks from outside that nothing is lost or contradictory.

    --players <n>   how many players, 2 to 5000            (default 200)
    --game <slug>   only the modes of this game            (default: a handful of games and modes)
    --rounds <n>    matches each player plays, 1 to 10     (default 2: the second one with ratings from the first)
    --seed <n>      choices of the players                 (default 1)
    --url <url>     a running server                       (default: one of its own, in memory, ended afterwards)
    --help          this text

  Exit code 0: everything held. 1: something broke, and is named. 2: the demo could not be run.
`;

/** @throws UsageError */
export function demoOptions(args: readonly string[]): DemoOptions {
  const values = readFlags(args, {
    players: { type: 'string', default: '200' },
    seed: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '2' },
    game: { type: 'string' },
    url: { type: 'string' },
    help: { type: 'boolean', default: false },
  });
  return {
    players: wholeNumber('players', values['players'], 2, 5000),
    seed: wholeNumber('seed', values['seed'], 0, 0xffffffff),
    rounds: wholeNumber('rounds', values['rounds'], 1, 10),
    game: values['game'] === undefined ? undefined : String(values['game']),
    url: serverUrl(values['url']),
    help: values['help'] === true,
  };
}
