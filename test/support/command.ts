import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

export interface Ended {
  code: number;
  output: string;
}

/** Runs a script of `scripts/` the way `npm run` does, with these variables and no others. */
export function runScript(script: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const variables = { PATH: process.env['PATH'] ?? '', ...env };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--import', 'tsx', `scripts/${script}.ts`, ...args],
      { cwd: ROOT, env: variables },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}
