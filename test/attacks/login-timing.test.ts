import type { MaogaServer } from '../../src/server';
import { registerPlayer, request, type Player } from '../support/client';
import { startTestServer } from '../support/server';
import { registerStaff } from '../support/staff';

/**
 * How long a login takes tells nobody whether there is such an account. The kinds are tried by turns, so that whatever else
 * the machine does slows all of them alike, and compared by the quickest but one, which a busy moment does not move. Without the
 * hash for unknown accounts the ratio would be near ten.
 */
const TURNS = 12;
const ALIKE = 1.5;
const TRIES = 3;

test('an unknown account, a wrong password and a banned account take the same time', async () => {
  const server: MaogaServer = await startTestServer({ env: { BCRYPT_COST: '10' }, runLoops: false });
  const [known, banned] = [await registerPlayer(server), await registerPlayer(server)] as [Player, Player];
  const moderator = await registerStaff(server, 'moderator');
  await moderator.patch(`/api/admin/users/${banned.userId}`, { status: 'banned', reason: 'because of a test' });
  const identifiers = {
    unknown: 'nobody_here',
    address: 'nobody@example.test',
    known: known.username,
    banned: banned.email,
  };

  const measure = async () => {
    const times = new Map(Object.keys(identifiers).map((kind) => [kind, [] as number[]]));
    for (let turn = 0; turn < TURNS; turn++)
      for (const [kind, identifier] of Object.entries(identifiers)) {
        const body = { identifier, password: 'not the password' };
        const begun = performance.now();
        const { status } = await request(server, 'POST', '/api/auth/login', { body });
        times.get(kind)!.push(performance.now() - begun);
        expect(status).toBe(401);
      }
    const quick = [...times.values()].map((each) => each.sort((a, b) => a - b)[1]!);
    return Math.max(...quick) / Math.min(...quick);
  };

  let ratio = Infinity;
  for (let tries = 0; tries < TRIES && ratio > ALIKE; tries++) ratio = await measure();
  expect(ratio).toBeLessThan(ALIKE);
}, 180_000);
