import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import jwt from 'jsonwebtoken';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, request } from '../support/client';
import { startTestServer } from '../support/server';

/** The key change of docs/accounts.md, step by step as it is printed, on instances that take each step at different times. */

const text = readFileSync(join(__dirname, '../../docs/accounts.md'), 'utf8');
const steps = [...text.matchAll(/```env\n(.*?)```/gs)].map(
  ([, block = '']) => parseEnv(block) as Record<string, string>,
);

describe('docs/accounts.md', () => {
  let base: MaogaServer;
  beforeAll(async () => {
    base = await startTestServer();
  });

  const start = (env: Record<string, string>) =>
    startTestServer({
      runLoops: false,
      env: { MONGODB_URI: base.databaseUri, JWT_REFRESH_SECRET: 'r'.repeat(32), ...env },
    });
  const me = async (server: MaogaServer, token: string) =>
    (await request(server, 'GET', '/api/users/me', { token })).status;

  test('changes the key of access tokens without signing anybody out', async () => {
    const [first = {}] = steps;
    expect(steps).toHaveLength(3);
    const before = { JWT_SECRET: first['JWT_SECRET'] ?? '', JWT_KEY_ID: first['JWT_KEY_ID'] ?? '' };
    let settings: Record<string, string> = before;
    let slow = await start(settings);
    const player = await registerPlayer(slow);
    let token = player.accessToken;
    let refreshToken = player.refreshToken;
    const keys: (string | undefined)[] = [];
    for (const step of steps) {
      // one instance has taken the step, the other one not yet: each takes the tokens of both
      const quick = await start(step);
      for (const signer of [quick, slow]) {
        const { status, body } = await request(signer, 'POST', '/api/auth/refresh', { body: { refreshToken } });
        expect(status).toBe(200);
        keys.push(jwt.decode(body.accessToken, { complete: true })?.header.kid);
        for (const server of [quick, slow]) expect(await me(server, body.accessToken)).toBe(200);
        // and that of the step before, which has not run out yet
        if (step !== steps[2]) for (const server of [quick, slow]) expect(await me(server, token)).toBe(200);
        ({ accessToken: token, refreshToken } = body);
      }
      await slow.stop();
      slow = quick;
      settings = step;
    }
    expect(keys).toEqual(['k1', 'k1', 'k2', 'k1', 'k2', 'k2']);
    // a stolen key: who goes back to what it was alone has what was signed by the new one refused
    expect(await me(await start(before), token)).toBe(401);
    expect(Object.keys(settings).sort()).toEqual(['JWT_KEY_ID', 'JWT_SECRET']);
  });
});
