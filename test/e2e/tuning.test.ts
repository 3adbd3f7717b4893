import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RuleSetInput } from '../../src/modules/games/rule-set';
import { FROM_SOURCE } from '../support/command';
import { addGame, connected, DUEL, matchUp } from '../support/matchmaking';
import { startTestServer } from '../support/server';

/** The tools for people who tune, on what a server has really done. */

const ROOT = join(__dirname, '../..');

interface Outcome {
  code: number;
  said: string;
  complained: string;
}

/** As `npm run <script> -- …` would, in a process of its own. */
function tool(script: string, args: string[], env: Record<string, string> = {}): Promise<Outcome> {
  const command = [...FROM_SOURCE, `scripts/${script}.ts`, ...args];
  const variables = { PATH: process.env['PATH'], NODE_ENV: 'test', ...env };
  return new Promise((resolve) => {
    execFile(process.execPath, command, { cwd: ROOT, env: variables }, (error, said, complained) =>
      resolve({ code: error ? Number(error.code) : 0, said, complained }),
    );
  });
}

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'maoga-tuning-'))));
afterAll(() => rmSync(folder, { recursive: true }));

test('a server that plays can be calibrated while it runs, and its recording replayed when it has ended', async () => {
  const recording = join(folder, 'recording.ndjson');
  const env = { DATA_DIR: join(folder, 'data'), MATCHMAKING_RECORD: recording };
  const server = await startTestServer({ env });
  const gameId = await addGame(server, { duel: DUEL });
  const pair = await connected(server, 2);
  // the first wins the first two matches, then nobody
  for (const winner of ['first', 'first', 'draw']) {
    const [told] = await matchUp(server, gameId, 'duel', pair);
    const [first] = pair.players;
    const team = told.teams.findIndex((seats: { userId: string }[]) => seats[0]!.userId === first!.userId);
    for (const player of pair.players) {
      const result = { winner: winner === 'draw' ? 'draw' : team };
      const { status } = await player.post(`/api/matchmaking/matches/${told.matchId}/result`, result);
      expect(status).toBe(200);
    }
  }
  const [calibration, wrong] = await Promise.all([
    tool('calibration', ['--json'], env),
    tool('calibration', ['--yaml'], env),
  ]);
  await server.stop();
  expect(wrong).toMatchObject({ code: 1, complained: expect.stringMatching(/^Usage: npm run calibration/) });
  expect(calibration).toMatchObject({ code: 0, complained: '' });
  const [mode, ...others] = JSON.parse(calibration.said);
  expect(others).toEqual([]);
  expect(mode).toMatchObject({ gameId, mode: 'duel', matches: 3 });
  // newcomers at first, and the winner the favourite from then on
  expect(mode.buckets[0].to).toBeLessThan(0.5);
  expect(mode.coin).toBeCloseTo(0.5 / 3, 12);
  expect(mode.brier).toBeGreaterThan(0.1);
  expect(mode.brier).toBeLessThan(0.25);

  const narrow: RuleSetInput = { ...DUEL, skill: { maxSpread: { value: 1 }, uncertainty: 0 } };
  const rules = join(folder, 'narrow.json');
  writeFileSync(rules, JSON.stringify(narrow));
  const [same, other, unknown, none] = await Promise.all([
    tool('replay', [recording]),
    tool('replay', [recording, '--rules', rules, '--json']),
    tool('replay', [recording, '--rules', rules, '--pool', 'nobody:knows']),
    tool('replay', [join(folder, 'nowhere')]),
  ]);
  expect(same).toMatchObject({
    code: 0,
    complained: '',
    said: expect.stringMatching(/^The same, bit for bit: 3 matches/),
  });
  // equals at first, but not after the first has won
  expect(JSON.parse(other.said)).toMatchObject({ tickets: 6, same: 1, missing: [{}, {}], other: [] });
  expect(unknown).toMatchObject({ code: 2, complained: expect.stringContaining('has no pool nobody:knows') });
  expect(none).toMatchObject({
    code: 2,
    complained: expect.stringMatching(/there is no such file\nUsage: npm run replay/),
  });
});
