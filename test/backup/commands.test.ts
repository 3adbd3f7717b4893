import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { registerPlayer, request } from '../support/client';
import { runScript } from '../support/command';
import { addGame, DUEL } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** `npm run backup`, `restore` and `restore:drill` as a person types them. */

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maoga-backups-'));
});
afterAll(() => rm(folder, { recursive: true }));

const serverOn = (directory: string) => startTestServer({ env: { DATA_DIR: directory } });
const PASSPHRASE = 'correct horse battery staple';

it('a backup taken while the server runs is rehearsed, and restored into another place where all goes on', async () => {
  const live = join(folder, 'live');
  const kept = join(folder, 'kept');
  const secured = { BACKUP_PASSPHRASE: PASSPHRASE };
  const server = await serverOn(live);
  const player = await registerPlayer(server);
  const gameId = await addGame(server, { duel: DUEL });
  const wishes = { games: [{ gameId, mode: 'duel' }] };
  const { body: ticket, status } = await player.post('/api/matchmaking/tickets', wishes);
  expect(status).toBe(201);

  const taken = await runScript('backup', ['--to', kept], { DATA_DIR: live, ...secured });
  expect(taken).toEqual({ code: 0, output: expect.stringMatching(/Written: .*\.backup \(\d.* MB, encrypted\)/) });
  const drill = await runScript('restore', [kept, '--drill'], { DATA_DIR: live, ...secured });
  expect(drill.output).toContain('Everything holds.');
  expect(drill.code).toBe(0);
  const over = await runScript('restore', [kept], { DATA_DIR: live, ...secured });
  expect(over).toEqual({ code: 2, output: expect.stringContaining('The database is not empty.') });
  await server.stop();

  const fresh = join(folder, 'fresh');
  const restored = await runScript('restore', [kept], { DATA_DIR: fresh, ...secured });
  expect([restored.code, restored.output]).toEqual([0, expect.stringMatching(/users +2 of 2\n/)]);
  const again = await serverOn(fresh);
  const login = { identifier: player.username, password: player.password };
  const { body } = await request(again, 'POST', '/api/auth/login', { body: login });
  const { body: current } = await request(again, 'GET', '/api/matchmaking/tickets/current', {
    token: body.accessToken,
  });
  expect(current).toMatchObject({ ticket: { id: ticket.id, state: 'queued' } });
}, 60_000);

it('a damaged backup is refused before anything is touched', async () => {
  const kept = join(folder, 'kept');
  const [name = ''] = (await readdir(kept)).filter((file) => file.endsWith('.backup'));
  await truncate(join(kept, name), 900);
  const untouched = { DATA_DIR: join(folder, 'untouched'), BACKUP_PASSPHRASE: PASSPHRASE };
  const refused = await runScript('restore', [join(kept, name), '--replace'], untouched);
  expect([refused.code, refused.output]).toEqual([2, expect.stringContaining('not what its checksum says')]);
  expect(await readdir(join(folder, 'untouched')).catch(() => [])).not.toContain('database');
});

it.each([
  ['backup', ['--keep', 'none'], '--keep must be a whole number'],
  ['restore', [], 'Name one backup'],
])('%s %j says what it wants', async (script, args, answer) => {
  const { code, output } = await runScript(script, args, { DATA_DIR: folder });
  expect([code > 0, output]).toEqual([true, expect.stringContaining(answer)]);
});
