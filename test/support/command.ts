import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(__dirname, '../..');

/** For Node, before a file of our TypeScript that it is to run. */
export const FROM_SOURCE = ['--require', join(__dirname, 'from-source.cjs')];

export interface Ended {
  code: number;
  output: string;
}

/** Runs a script of `scripts/` in a process of its own, with these variables and no others. */
export function runScript(script: string, args: string[], env: Record<string, string>): Promise<Ended> {
  const variables = { PATH: process.env['PATH'] ?? '', ...env };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [...FROM_SOURCE, `scripts/${script}.ts`, ...args],
      { cwd: ROOT, env: variables },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}
