import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** `npm run cluster -- 2`, as somebody tries it at a terminal. */

let folder: string;
let terminal: ChildProcessWithoutNullStreams;
const said: string[] = [];
const waiting = new Set<() => void>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maoga-faults-'));
  const args = ['--import', 'tsx', 'scripts/cluster.ts', '2', '--memory', '--port', '0'];
  terminal = spawn(process.execPath, args, { env: { ...process.env, NODE_ENV: 'development', DATA_DIR: folder } });
  for (const stream of [terminal.stdout, terminal.stderr])
    createInterface(stream).on('line', (line) => {
      said.push(line);
      for (const look of waiting) look();
    });
});
afterAll(() => {
  terminal.kill('SIGTERM');
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

test('it starts, says where to look, loses an instance and gets it back, and stops in order', async () => {
  const [, url] = await hear(/API\s+(http\S+)\/api/);
  const answers = await Promise.all(Array.from({ length: 4 }, () => fetch(`${url}/health`)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  // many players come from one address here
  expect((await fetch(`${url}/api/games?limit=1`)).headers.get('ratelimit')).toBeNull();
  terminal.stdin.write('kill 2\n');
  await hear(/instance 2 .*: start 2 brings it back/);
  expect((await fetch(`${url}/health`)).status).toBe(200);
  terminal.stdin.write('start 2\n');
  await hear(/instance 2 is ready/);
  terminal.stdin.write('dance 2\n');
  await hear(/kill, stop, pause, resume or start, and one of 1, 2/);
  const exited = once(terminal, 'exit');
  terminal.kill('SIGINT');
  await hear(/stopped/);
  expect(await exited).toEqual([0, null]);
});
