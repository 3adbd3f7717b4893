import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { generateSync } from 'otplib';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, request, type Player } from '../support/client';
import { runScript } from '../support/command';
import { shiftedClock, startTestServer } from '../support/server';

/** Changing DATA_SECRET by the steps of docs/accounts.md. Each server stands for all instances after that step. */

const STEP_MS = 30_000;
const OLD = { DATA_SECRET: 'Zk3uQ8vR1nXs6WtY0aPd5HfJ2lGmCbEi' };
const NEW = { DATA_SECRET: 'b7Vf2NwLq9KxTz4RcYh1MpJd8GsEuA0o' };
const clock = shiftedClock();

let folder: string;
let server: MaogaServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maoga-data-secret-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const restart = async (secrets: Record<string, string>) => {
  await (server as MaogaServer | undefined)?.stop();
  server = await startTestServer({ clock, env: { DATA_DIR: folder, ...secrets } });
};
const run = (script: string, secrets: Record<string, string>) =>
  runScript(script, [], { DATA_DIR: folder, ...secrets });

interface Owner {
  player: Player;
  secret: string;
  recoveryCodes: string[];
}
const codeFor = ({ secret }: Pick<Owner, 'secret'>) => {
  clock.advance(STEP_MS);
  return generateSync({ secret, epoch: Math.floor(clock.now() / 1000) });
};

async function enrolled(): Promise<Owner> {
  const player = await registerPlayer(server);
  const { body } = await player.post('/api/auth/second-factor', { password: player.password });
  const on = await player.post('/api/auth/second-factor/confirm', { code: codeFor(body) });
  return { player, secret: body.secret, recoveryCodes: on.body.recoveryCodes };
}

async function signIn({ player }: Owner, code: string): Promise<number> {
  const login = { identifier: player.username, password: player.password };
  const { body } = await request(server, 'POST', '/api/auth/login', { body: login });
  const answer = { challenge: body.challenge, code };
  return (await request(server, 'POST', '/api/auth/login/second-factor', { body: answer })).status;
}

test('in every step apps and recovery codes of before go on, and at the end the new secret alone opens all', async () => {
  await restart(OLD);
  const ann = await enrolled();
  const recoveryCode = (at: number) => ann.recoveryCodes[at] ?? '';
  expect(await signIn(ann, recoveryCode(0))).toBe(200);

  await restart({ ...OLD, DATA_PREVIOUS_SECRET: NEW.DATA_SECRET });
  expect([await signIn(ann, codeFor(ann)), await signIn(ann, recoveryCode(1))]).toEqual([200, 200]);

  const swapped = { ...NEW, DATA_PREVIOUS_SECRET: OLD.DATA_SECRET };
  await restart(swapped);
  expect([await signIn(ann, codeFor(ann)), await signIn(ann, recoveryCode(2))]).toEqual([200, 200]);
  const bob = await enrolled();
  expect((await run('doctor', swapped)).output).toContain('! Data secret');
  expect(await run('reseal', swapped)).toEqual({
    code: 0,
    output: expect.stringContaining('1 second factors renewed, 1 needed nothing'),
  });
  expect((await run('reseal', swapped)).output).toContain('0 second factors renewed, 2 needed nothing');

  await restart(NEW);
  for (const owner of [ann, bob]) {
    expect(await signIn(owner, codeFor(owner))).toBe(200);
    expect(await signIn(owner, owner.recoveryCodes[3] ?? '')).toBe(200);
    expect(await signIn(owner, owner.recoveryCodes[3] ?? '')).toBe(401);
  }
}, 60_000);

test('another secret without the one of before is named by doctor and reseal, and nothing is changed', async () => {
  const other = { DATA_SECRET: 'h5Tq8WmXb2RcNz7LkVd0JpYs3GfEuA1i' };
  const doctor = await run('doctor', other);
  expect([doctor.code, doctor.output]).toEqual([1, expect.stringMatching(/✗ Data secret +2 second factors/)]);
  expect(await run('reseal', other)).toEqual({ code: 1, output: expect.stringContaining('2 are of another secret') });
  expect(await run('reseal', NEW)).toEqual({ code: 0, output: expect.stringContaining('2 needed nothing') });
}, 60_000);
