import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from '../../src/server';
import { runScript } from '../support/command';
import { testConfig } from '../support/server';

/** `npm run migrate:…` as a person types it, on the embedded database of a data directory. */

describe('the migrate command', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'maoga-migrate-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const migrate = (command: string) => runScript('migrate', [command], { DATA_DIR: folder });
  const lines = (output: string, pattern: RegExp) => output.split('\n').filter((line) => pattern.test(line));

  it('applies what is pending, and says what', async () => {
    const first = await migrate('up');
    expect(first).toEqual({ code: 0, output: expect.stringContaining('Applied: 20261124000000-core.js\n') });
  });

  it('takes the newest back, and shows it as pending; beside a server that holds the database, too', async () => {
    const config = testConfig({ DATA_DIR: folder, MIGRATE_ON_START: 'false' });
    const server = await createServer(config, { runLoops: false });
    try {
      const down = await migrate('down');
      expect([down.code, lines(down.output, /^Taken back: \d+-[\w-]+\.js$/)]).toEqual([0, [expect.any(String)]]);
      const { output } = await migrate('status');
      const [newest] = lines(output, /pending$/);
      expect(lines(output, /pending$/)).toHaveLength(1);
      expect(down.output).toContain(newest?.split(' ')[0]);
      expect(lines(output, /^\S+\.js +\d{4}-\d\d-\d\dT/).length).toBeGreaterThan(3);
    } finally {
      await server.stop();
    }
  });

  it('explains itself when it is asked for something else', async () => {
    expect(await migrate('sideways')).toEqual({ code: 1, output: 'Usage: migrate up | down | status\n' });
  });
});
