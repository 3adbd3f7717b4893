import { parseArgs } from 'node:util';
import { ConfigError } from './config';

const USAGE = 'The server takes --record <file>; everything else is set by variables, which .env.example lists.';

/** What the command line says in place of variables. @throws ConfigError for what it does not know */
export function readArguments(args: readonly string[]): Record<string, string> {
  try {
    const { record } = parseArgs({ args: [...args], options: { record: { type: 'string' } } }).values;
    return record === undefined ? {} : { MATCHMAKING_RECORD: record };
  } catch (error) {
    throw new ConfigError(`${(error as Error).message}. ${USAGE}`);
  }
}
