import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { registerPlayer, type Player } from '../support/client';
import { PACE, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { figuresOf, longest, report, settle } from './support/verdict';
import { startWorld, TTL_MS, type World } from './support/world';

/** The clocks of the machines differ by an hour: leases stay where they are, and searches wait as long as their rules say. */

const FAKETIME = `/usr/lib/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu/faketime/libfaketime.so.1`;
const isHere = existsSync(FAKETIME);
if (!isHere) report('skipped', { reason: 'libfaketime is not installed' });

/** Two wait so long for a third one, and then go without them. */
const HOLD_SECONDS = 5;
const HOLD = {
  teams: { count: 1, size: { min: 2, max: 3 } },
  hold: { fillTarget: 3, holdSeconds: HOLD_SECONDS },
};
const POOLS = 12;

let world: World;
let crowd: Crowd | undefined;
afterEach(async () => {
  crowd?.leave();
  await world?.stop();
});

const wrong = (shift: string) => ({ LD_PRELOAD: FAKETIME, FAKETIME: shift, DONT_FAKE_MONOTONIC: '1' });

/** Two who search together in a pool of their own. @returns how long they waited, by the clock of this process, ms */
async function wait(gameId: string, pair: readonly Player[]): Promise<number> {
  const begun = Date.now();
  for (const player of pair) {
    const { status } = await player.post('/api/matchmaking/tickets', { games: [{ gameId, mode: 'duel' }] });
    expect(status).toBe(201);
  }
  for (;;) {
    const { status, body } = await pair[0]!.get('/api/matchmaking/tickets/current');
    expect(status).toBe(200);
    if (body.ticket === null) return Date.now() - begun;
    await delay(50);
  }
}

const leases = () => world.connection.collection('leases').find().toArray();

const epochs = async () => new Map((await leases()).map((row) => [String(row._id), row['epoch']]));

/** Resolves when either of the two holds its half: from then on no lease has a reason to move. */
async function shared(): Promise<void> {
  for (const until = Date.now() + 20 * TTL_MS; Date.now() < until; await delay(50)) {
    const holders = (await leases()).map((row) => row['owner'] as string | null);
    const share = (owner: string | null) => holders.filter((each) => each === owner).length;
    if (new Set(holders).size === 2 && holders.every((owner) => owner !== null && 2 * share(owner) === holders.length))
      return;
  }
  throw new Error('the leases were not shared out');
}

(isHere ? test : test.skip).each(['+1h', '-1h'])('the clock of one of two instances is wrong by %s', async (shift) => {
  world = await startWorld(2, { settingsOf: (index) => (index === 0 ? wrong(shift) : {}) });
  const date = async (url: string) => Date.parse((await fetch(`${url}/livez`)).headers.get('date') ?? '');
  const [off, right] = [await date(world.members[0]!.url), await date(world.members[1]!.url)];
  expect(Math.abs(off - right)).toBeGreaterThan(3_500_000);

  crowd = await gather(world, 16);
  crowd.play();
  await crowd.nextMatch();
  await shared();
  const before = await epochs();
  const pools = await Promise.all(Array.from({ length: POOLS }, () => world.addGame(HOLD)));
  const waited = await Promise.all(
    pools.map(async (gameId) => wait(gameId, [await registerPlayer(world), await registerPlayer(world)])),
  );
  await delay(5 * TTL_MS);
  const moved = [...(await epochs())].filter(([name, epoch]) => before.get(name) !== epoch).length;
  await settle(world, crowd);
  report(`one of two clocks wrong by ${shift}`, {
    seed: SEED,
    ...figuresOf(crowd),
    waitedMs: { shortest: Math.min(...waited), longest: longest(waited) },
    leasesMoved: moved,
  });
  expect(Math.min(...waited)).toBeGreaterThan(HOLD_SECONDS * 1000 - 500);
  expect(longest(waited)).toBeLessThan((HOLD_SECONDS + 10 * PACE) * 1000);
  expect(moved).toBe(0);
});
