import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { SEED } from './support/chance';

/** `npm run cluster -- 2`, as somebody tries it at a terminal. */

let folder: string;
let url: string;
let terminal: ChildProcessWithoutNullStreams;
const started: ChildProcess[] = [];
const said: string[] = [];
const waiting = new Set<() => void>();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maoga-faults-'));
  const args = ['--import', 'tsx', 'scripts/cluster.ts', '2', '--memory', '--port', '0'];
  terminal = spawn(process.execPath, args, { env: { ...process.env, NODE_ENV: 'development', DATA_DIR: folder } });
  for (const stream of [terminal.stdout, terminal.stderr])
    createInterface(stream).on('line', (line) => {
      said.push(line);
      for (const look of waiting) look();
    });
  url = (await hear(/API\s+(http\S+)\/api/))[1] ?? '';
});
afterAll(() => {
  terminal.kill('SIGTERM');
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** The first line that fits, of those that have been said and those to come. */
const hear = (pattern: RegExp): Promise<RegExpExecArray> =>
  new Promise((resolve) => {
    const look = () => {
      const found = said.map((line) => pattern.exec(line)).find((each) => each !== null);
      if (!found) return;
      waiting.delete(look);
      resolve(found);
    };
    waiting.add(look);
    look();
  });

const type = (command: string) => void terminal.stdin.write(`${command}\n`);

test('it loses an instance and gets it back, and says what it does not understand', async () => {
  const answers = await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/health`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  // many players come from one address here
  expect((await fetch(`${url}/api/games?limit=1`)).headers.get('ratelimit')).toBeNull();
  type('kill 2');
  await hear(/instance 2 .*: start 2 brings it back/);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  type('start 2');
  await hear(/instance 2 is ready/);
  type('dance 2');
  await hear(/kill, stop, pause, resume or start, and one of 1, 2/);
});

test('players of the demo lose an instance over what they do, and everything holds', async () => {
  const args = ['--import', 'tsx', 'demo/main.ts', '--url', url, '--players', '60', '--seed', String(SEED % 1000)];
  const demo = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(demo);
  const exited = once(demo, 'exit');
  const lines: string[] = [];
  /** How many matches had been played before. */
  let isKilledAt: number | undefined;
  for await (const line of createInterface(demo.stdout)) {
    lines.push(line);
    const played = /playing [1-9].*matches (\d+)/.exec(line)?.[1];
    if (isKilledAt !== undefined || played === undefined) continue;
    isKilledAt = Number(played);
    type('kill 1');
    await hear(/instance 1 .*: start 1 brings it back/);
    type('start 1');
  }
  const told = lines.slice(lines.findIndex((line) => line.startsWith('  modes'))).join('\n');
  process.stdout.write(`  the demo, seed ${SEED % 1000}, one of two instances killed:\n${told}\n`);
  expect(await exited).toEqual([0, null]);
  expect(told).toContain('Everything held.');
  // whose sockets were on the one that was killed
  expect(Number(/lost a connection +(\d+)/.exec(told)?.[1])).toBeGreaterThan(10);
  expect(Number(/matches +(\d+)/.exec(told)?.[1])).toBeGreaterThan(isKilledAt ?? Infinity);
});

test('it stops in order', async () => {
  const exited = once(terminal, 'exit');
  terminal.kill('SIGINT');
  await hear(/^ {2}stopped/);
  expect(await exited).toEqual([0, null]);
});
