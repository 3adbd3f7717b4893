import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

type Variables = Record<string, string | undefined>;

/**
 * The variables that the configuration is made from: those of the process, and outside production what
 * `.env.<NODE_ENV>` and then `.env` in `folder` add to them. Changes neither.
 */
export function readEnvironment(variables: Variables = process.env, folder = process.cwd()): Variables {
  const kind = variables['NODE_ENV'] || 'development';
  if (kind === 'production') return { ...variables };
  const files = ['.env', `.env.${kind}`].map((name) => join(folder, name)).filter((file) => existsSync(file));
  const added = files.map((file) => parseEnv(readFileSync(file, 'utf8')));
  return Object.assign({}, ...added, variables) as Variables;
}
