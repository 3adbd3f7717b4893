import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** No file of the repository holds a secret that is good for something: secretlint looks through all of them. */

const ROOT = join(__dirname, '..');
const SECRETLINT = join(ROOT, 'node_modules/.bin/secretlint');
const RULES = join(ROOT, '.secretlintrc.json');

interface Ended {
  code: number;
  output: string;
}

function run(command: string, args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(command, args, { cwd: ROOT, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr }),
    );
  });
}

const lookThrough = (files: string[]) => run(SECRETLINT, ['--secretlintrc', RULES, '--no-glob', ...files]);

test('a secret is found where there is one', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'maoga-secrets-'));
  const file = join(folder, 'settings.env');
  try {
    await writeFile(file, `TOKEN=ghp_${'a1B2c3'.repeat(6)}\n`);
    const { code, output } = await lookThrough([file]);
    expect([code, output]).toEqual([1, expect.stringContaining('GitHub')]);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('no file holds one', async () => {
  const { output } = await run('git', ['ls-files', '-z']);
  const files = output.split('\0').filter((file) => file !== '' && file !== 'package-lock.json');
  expect(files.length).toBeGreaterThan(300);
  expect(await lookThrough(files)).toEqual({ code: 0, output: '' });
}, 120_000);
