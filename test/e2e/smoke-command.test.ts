import { addGame, DUEL } from '../support/matchmaking';
import { runScript } from '../support/command';
import { startTestServer } from '../support/server';

/** `npm run smoke -- <url>` against a server that is well, and servers that are not. */

const LIMITED = { RATE_LIMITS: 'true' };
const TWO = { teams: { count: 1, size: { min: 2, max: 2 } } };

test('a server that does its main job passes, and nothing of the test is left behind', async () => {
  const server = await startTestServer({ env: LIMITED });
  await addGame(server, { duel: DUEL, duo: TWO });
  const { code, output } = await runScript('smoke', [server.url], {});
  expect([code, output]).toEqual([0, expect.stringMatching(/ passed, 0 failed, 1 skipped\n/)]);
  expect(output).toContain('they search together, and both are told of the match');
});

test('one without a mode for two, or that does not answer at all, fails by what is missing', async () => {
  const server = await startTestServer({ env: LIMITED });
  await addGame(server, { duel: DUEL });
  const without = await runScript('smoke', [server.url], {});
  expect([without.code, without.output]).toEqual([
    1,
    expect.stringContaining('there is no mode for groups of exactly two'),
  ]);
  await server.stop();
  const gone = await runScript('smoke', [server.url], {});
  expect([gone.code, gone.output]).toEqual([1, expect.stringContaining('✗         it is alive and ready')]);
});

test('one that counts nobody against a limit fails by that', async () => {
  const server = await startTestServer();
  const { code, output } = await runScript('smoke', [server.url], {});
  expect([code, output]).toEqual([1, expect.stringContaining('is RATE_LIMITS off?')]);
});
