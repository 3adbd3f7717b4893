import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerPlayer, type Player } from '../support/client';
import { FROM_SOURCE } from '../support/command';
import { startTestServer } from '../support/server';

const ROOT = join(__dirname, '../..');

interface Outcome {
  code: number;
  said: string;
  complained: string;
}

/** `npm run admin -- …`, as a process of its own beside the server. */
function admin(args: string[], env: Record<string, string>): Promise<Outcome> {
  const command = [...FROM_SOURCE, 'scripts/admin.ts', ...args];
  const variables = { PATH: process.env['PATH'], NODE_ENV: 'test', ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT, env: variables }, (error, said, complained) =>
      resolve({ code: error ? Number(error.code) : 0, said, complained }),
    );
  });
}

describe('npm run admin', () => {
  let directory: string;
  beforeAll(() => (directory = mkdtempSync(join(tmpdir(), 'maoga-admin-'))));
  afterAll(() => rmSync(directory, { recursive: true }));

  const mayAdminister = async (player: Player) => (await player.post('/api/games', {})).status !== 403;

  test('makes an admin while the server runs on its own data, and when it does not', async () => {
    const env = { DATA_DIR: directory };
    const server = await startTestServer({ env });
    const [first, second] = [await registerPlayer(server), await registerPlayer(server)];
    expect(await mayAdminister(first)).toBe(false);

    const made = await admin([first.email.toUpperCase()], env);
    expect(made).toEqual({ code: 0, complained: '', said: expect.stringContaining('is an admin now') });
    expect(await mayAdminister(first)).toBe(true);
    expect(await mayAdminister(second)).toBe(false);

    const unknown = await admin(['nobody@example.test'], env);
    expect(unknown).toMatchObject({ code: 1, said: '' });
    expect(unknown.complained).toMatch(
      /^There is no account with the address nobody@example\.test .* Register it first\.\n$/,
    );
    await server.stop();

    // as a crash would have left it
    writeFileSync(join(directory, 'running.json'), JSON.stringify({ pid: 2 ** 30, uri: server.databaseUri }));
    expect((await admin([second.email], env)).said).toContain(`data in ${directory}`);
    const again = await startTestServer({ env });
    const body = { identifier: second.email, password: second.password };
    const login = await fetch(`${again.url}/api/auth/login`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    expect(((await login.json()) as { user: { role: string } }).user.role).toBe('admin');
    await again.stop();
  });

  test('says what to do where it cannot', async () => {
    const env = { DATA_DIR: directory };
    const server = await startTestServer({ env });
    // as if the server were just starting: the data is held, and where its database is nobody knows yet
    rmSync(join(directory, 'running.json'));
    const outcomes = await Promise.all([
      admin([], env),
      admin(['ann@example.test'], { DATA_DIR: ':memory:' }),
      admin(['ann@example.test'], env),
    ]);
    await server.stop();
    const complaints = [/^Usage: npm run admin/, /^DATA_DIR is :memory:/, /^The database cannot be opened: .*in use/];
    expect(outcomes).toEqual(
      complaints.map((complaint) => ({ code: 1, said: '', complained: expect.stringMatching(complaint) })),
    );
    for (const { complained } of outcomes) expect(complained).not.toContain('    at ');
  });
});
