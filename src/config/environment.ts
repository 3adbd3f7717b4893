import { existsSync } from 'node:fs';
import { loadEnvFile } from 'node:process';

/** The process environment; outside production a `.env` file in the working directory fills in what is not set. */
export function readEnvironment(): Record<string, string | undefined> {
  const production = process.env['NODE_ENV'] === 'production';
  if (!production && existsSync('.env')) loadEnvFile('.env');
  return process.env;
}
