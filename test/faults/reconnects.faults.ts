import { setTimeout as delay } from 'node:timers/promises';
import { PACE, SEED } from './support/chance';
import { countCost } from './support/cost';
import { gatherFleet } from './support/fleet';
import { report } from './support/verdict';
import { startWorld, type World } from './support/world';

/** Everybody comes back in the same moment, as after a failure of the network: nobody is turned away, and nothing is missed. */

/** Straight to the instances: a balancer in between would need as many files again in this process. */
const SOCKETS = Number(process.env['FAULT_SOCKETS'] ?? 10_000);
const EACH = 20;
const TOLD_WITHIN_MS = 60_000 * PACE;

let world: World;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED });
  world = await startWorld(2);
});
afterAll(() => world?.stop());

test(`${SOCKETS} reconnect at once, after their matches were made without them: all learn of theirs`, async () => {
  const gameId = await world.addGame();
  const urlOf = (index: number) => world.members[index % 2]!.url;
  const fleet = await gatherFleet(world.url, { players: SOCKETS / EACH, socketsEach: EACH, urlOf });
  const first = Date.now();
  const cost = countCost(world);
  await fleet.connect();
  const connectedMs = Date.now() - first;
  const each = cost(fleet.size);

  const cutAt = Date.now();
  fleet.cut();
  const answers = await Promise.all(
    fleet.players.map((player) => player.post('/api/matchmaking/tickets', { games: [{ gameId, mode: 'duel' }] })),
  );
  expect(answers.filter(({ status }) => status !== 201)).toEqual([]);
  const again = Date.now();
  await fleet.connect();
  const begun = again - cutAt;
  const { backMs } = fleet.returned(cutAt);
  const reconnectedMs = { median: backMs.median - begun, longest: backMs.longest - begun };
  // those who came back before they were matched hear of it
  const matches = world.connection.collection('matches');
  const made = async () => (await matches.countDocuments()) * 2 === fleet.players.length;
  const isTold = () => fleet.matches().every(({ matchId }) => matchId !== null);
  for (const until = Date.now() + TOLD_WITHIN_MS; !(await made()) || !isTold(); await delay(50))
    if (Date.now() > until) break;
  report(`${fleet.size} reconnects at once`, {
    notSetUp: world.log.filter((line) => line.includes('could not be set up')).length,
    connectedMs,
    each,
    reconnectedMs,
    matches: await matches.countDocuments(),
    notTold: fleet.matches().filter(({ matchId }) => matchId === null).length,
  });
  expect(await made()).toBe(true);
  const known = new Map<number, Set<string | null>>();
  for (const { player, matchId } of fleet.matches()) known.set(player, (known.get(player) ?? new Set()).add(matchId));
  expect([...known.values()].filter((ids) => ids.size !== 1)).toEqual([]);
  expect(fleet.dismissed).toBe(0);
  fleet.leave();
  // five of its own for each, where nobody asks together
  expect(each.commands).toBeLessThan(1);
});
