import { createServer, type AddressInfo, type Server } from 'node:net';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose from 'mongoose';
import { startTestServer, testConfig } from '../test/support/server';
import { loadConfig } from './config/config';
import { createServer as createMaoga } from './server';
import { startUpFailure } from './start-up-failure';

/** What a person reads when a start fails, after real failures. */

const failureOf = (start: () => unknown) =>
  Promise.resolve()
    .then(start)
    .then(
      () => 'it started',
      (error: unknown) => startUpFailure(error),
    );

describe('a start that fails', () => {
  it('names the settings that are wrong', async () => {
    const message = await failureOf(() => loadConfig({ PORT: 'x' }, () => ({ jwtSecret: '', refreshSecret: '' })));
    expect(message).toMatch(/PORT: .*\nSee \.env\.example/);
  });

  describe('for something that is taken', () => {
    let folder: string;
    let other: Server;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'maoga-start-'));
      other = createServer();
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    });
    afterAll(async () => {
      await new Promise((resolve) => other.close(resolve));
      await rm(folder, { recursive: true });
    });

    it('names the port', async () => {
      const { port } = other.address() as AddressInfo;
      expect(await failureOf(() => createMaoga(testConfig({ PORT: String(port) })))).toBe(
        `Port ${port} is taken: stop what listens there, or choose another port.`,
      );
    });

    it('names the process that has the data directory', async () => {
      const first = await startTestServer({ env: { DATA_DIR: folder } });
      const message = await failureOf(() => createMaoga(testConfig({ DATA_DIR: folder })));
      expect(message).toContain(`is in use by process ${process.pid}`);
      expect(message).not.toContain('\n');
      await first.stop();
    });
  });

  it('names the recording that cannot be written', async () => {
    const file = join(tmpdir(), 'maoga-no-such-folder', 'recording.ndjson');
    const message = await failureOf(() => createMaoga(testConfig({ MATCHMAKING_RECORD: file })));
    expect(message).toMatch(/^MATCHMAKING_RECORD: .*recording\.ndjson cannot be written \(ENOENT/);
    expect(message).not.toContain('\n');
  });

  it('says that MongoDB does not answer', async () => {
    const connection = mongoose.createConnection('mongodb://127.0.0.1:1/maoga', { serverSelectionTimeoutMS: 50 });
    const message = await failureOf(() => connection.asPromise());
    expect(message).toMatch(/^MongoDB does not answer \(.*ECONNREFUSED.*\): check MONGODB_URI/);
    await connection.close();
  });

  it('for a reason that nobody has foreseen shows where', () => {
    expect(startUpFailure(new Error('surprise'))).toMatch(/^Error: surprise\n +at /);
    expect(startUpFailure('surprise')).toBe('surprise');
  });
});
