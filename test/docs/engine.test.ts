import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Types } from 'mongoose';
import { calibrate, calibrationText } from '../../src/modules/matchmaking/calibration';
import { loadScenarios } from '../../src/modules/matchmaking/scenarios/load';
import { runScenario } from '../../src/modules/matchmaking/scenarios/run';

/** The examples of docs/engine.md are what they say. */

const page = readFileSync(join(__dirname, '../../docs/engine.md'), 'utf8');
const block = (language: string) => new RegExp(`\`\`\`${language}\n(.*?)\n\`\`\``, 's').exec(page)?.[1] ?? '';

test('the example of a scenario file holds', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maoga-docs-'));
  try {
    const file = join(folder, 'example.json');
    writeFileSync(file, block('json'));
    const scenarios = loadScenarios(file);
    expect(scenarios).toHaveLength(3);
    for (const scenario of scenarios) expect([scenario.name, runScenario(scenario)]).toEqual([scenario.name, []]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the example of a calibration is what ten such matches give', async () => {
  const gameId = new Types.ObjectId();
  const matches = Array.from({ length: 10 }, (_, i) => ({
    gameId,
    gameName: 'Chess',
    mode: 'blitz',
    chances: [0.7, 0.3],
    outcome: { ranks: i < 7 ? [1, 2] : [2, 1], completed: null },
  }));
  expect(calibrationText(await calibrate(matches))).toBe(block('text'));
});

test('the shares of quality add up to 1', () => {
  const shares = [...page.matchAll(/^\| \w+ +\| (\d[\d.]*|) *\| (\d[\d.]*) +\|/gm)].map(([, versus, coop]) => [
    versus,
    coop,
  ]);
  expect(shares.length).toBeGreaterThan(3);
  const balance = Number(/^\| Balance +\| ([\d.]+)/m.exec(page)?.[1]);
  const sum = (column: 0 | 1) => shares.reduce((total, row) => total + Number(row[column]), 0);
  expect(sum(0) + balance).toBeCloseTo(1, 12);
  expect(sum(1)).toBeCloseTo(1, 12);
});
