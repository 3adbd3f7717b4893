import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../../core/logger';
import { Engine } from '../engine';
import { NOW, rules, ticket } from '../engine/testing/tickets';
import { RecordingFault, type Operation } from './operations';
import { recordedEngine } from './recorder';
import { openRecording } from './recording-file';
import { comparisonText, verdictText } from './report';
import { DUEL, read, recordSession, TRIO } from './testing/session';
import { verify } from './verify';
import { whatIf } from './what-if';

const SEEDS = Array.from({ length: 20 }, (_, i) => i + 1);
const matchesOf = (lines: readonly string[]) => lines.filter((line) => line.startsWith('{"op":"match"'));
const unchanged = (_key: string, recorded: typeof DUEL) => recorded;

describe('a recording replayed as it was', () => {
  test.each(SEEDS)('comes to the same matches, bit for bit (session %i)', async (seed) => {
    const lines = recordSession(seed);
    const verdict = await verify(read(lines));
    expect(verdict.difference).toBeNull();
    expect(verdict).toMatchObject({ runs: 1, passes: 40, matches: matchesOf(lines).length, full: false });
    expect(verdict.matches).toBeGreaterThan(30);
    // much happened in the middle of passes
    expect(lines.filter((line) => /^{"op":"(add|remove)".*"steps":\d+}$/.test(line)).length).toBeGreaterThan(10);
  });

  test('holds every run of a server that was started again', async () => {
    const lines = [...recordSession(1), '', ...recordSession(2)];
    expect(await verify(read(lines))).toMatchObject({ runs: 2, difference: null, matches: matchesOf(lines).length });
  });

  test('ends without complaint where a crash or the limit cut it off', async () => {
    const lines = recordSession(3);
    const torn = lines.slice(0, 300);
    expect(await verify(read([...torn, lines[300]!.slice(0, 20)]))).toMatchObject({ difference: null });
    expect(await verify(read([...torn, '{"op":"fu', ...recordSession(4)]))).toMatchObject({
      runs: 2,
      difference: null,
    });
    const full = await verify(read([...torn, '{"op":"full"}']));
    expect(full).toMatchObject({ full: true, difference: null });
    expect(verdictText(full)).toMatch(/^The same, bit for bit: \d+ matches in \d+ passes.*\n.*reached its limit/);
  });

  const indexOf = (lines: string[], kind: string) => lines.findIndex((line) => line.startsWith(`{"op":"${kind}"`));
  test.each<[string, (lines: string[]) => void]>([
    ['a match is missing', (lines) => lines.splice(indexOf(lines, 'match'), 1)],
    ['a match has another quality', (lines) => edit(lines, 'match', /"quality":/, '"quality":-')],
    ['a match comes a step later', (lines) => edit(lines, 'match', /"steps":/, '"steps":9')],
    ['a rating was another', (lines) => lines.forEach((_, i) => edit(lines, i, /"mu":\d+\.\d+/, '"mu":5'))],
    [
      'the rules were others',
      (lines) =>
        lines.splice(indexOf(lines, 'pool'), 1, JSON.stringify({ op: 'pool', key: 'game:duel', ruleSet: TRIO })),
    ],
  ])('differs where %s', async (_what, change) => {
    const lines = recordSession(5);
    change(lines);
    const verdict = await verify(read(lines));
    expect(verdict.difference).not.toBeNull();
    expect(verdictText(verdict)).toMatch(/^Differs in the pass at 2026-01-01T[^]*recorded {2}[^]*replayed {2}/);
  });

  function edit(lines: string[], which: string | number, from: RegExp, to: string): void {
    const at = typeof which === 'number' ? which : indexOf(lines, which);
    lines[at] = lines[at]!.replace(from, to);
  }
});

describe('what is no recording is refused, with the line', () => {
  test.each<[string, string[], RegExp]>([
    ['nothing', [], /nothing has been recorded/],
    ['a log', ['{"level":"info"}'], /line 1 is no operation/],
    ['one without a beginning', ['{"op":"remove","id":"a"}'], /line 1: a recording starts with "begin"/],
    [
      'one of another version',
      ['{"op":"begin","version":2,"at":0,"seed":1}'],
      /line 1: this is version 2, and 1 is known/,
    ],
    ['one with a hole', [...recordSession(1, 1), '{', ...recordSession(1, 2).slice(1)], /line \d+ is no operation/],
  ])('%s', async (_what, lines, message) => {
    const result = verify(read(lines));
    await expect(result).rejects.toThrow(RecordingFault);
    await expect(result).rejects.toThrow(message);
  });
});

describe('a recording replayed with other rules', () => {
  test.each(SEEDS)('shows no difference where the rules are the same (session %i)', async (seed) => {
    const lines = recordSession(seed);
    const { missing, other, same, pools } = await whatIf(() => read(lines), unchanged);
    expect([missing, other]).toEqual([[], []]);
    expect(same).toBeGreaterThan(20);
    for (const { recorded, replayed } of pools.values()) expect(replayed).toEqual(recorded);
  });

  test('shows what wider limits would have done to waiting and to spread', async () => {
    const lines = recordSession(6);
    const wide = { ...DUEL, skill: { ...DUEL.skill, maxSpread: null } };
    const comparison = await whatIf(
      () => read(lines),
      (key, recorded) => (key === 'game:duel' ? wide : recorded),
    );
    const { recorded, replayed } = comparison.pools.get('game:duel')!;
    expect(comparison.missing.length).toBeGreaterThan(0);
    expect(comparison.other.length).toBeGreaterThan(0);
    expect(replayed.waits!.mean).toBeLessThan(recorded.waits!.mean);
    expect(replayed.meanSpread!).toBeGreaterThan(recorded.meanSpread!);
    expect(comparisonText(comparison)).toMatch(
      /game:duel\n +recorded +replayed +change\n +matches +\d+ +\d+ +[-+]?\d+\n/,
    );
  });

  test.each(SEEDS)('has nobody in two matches (session %i)', async (seed) => {
    const lines = recordSession(seed);
    const anybody = rules({ teams: { count: 2, size: { min: 1, max: 1 } }, choices: { secondsPerPoint: 0 } });
    const { other } = await whatIf(
      () => read(lines),
      (key, recorded) => (key === 'game:duel' ? anybody : recorded),
    );
    const ids = other.flatMap((match) => match.ticketIds);
    expect(ids.length).toBeGreaterThan(10);
    expect(ids.length).toBe(new Set(ids).size);
  });

  const pairs = rules({ teams: { count: 2, size: { min: 1, max: 1 } } });
  type Recorder = ReturnType<typeof recordedEngine> & { search: (seconds: number) => void };

  /** What happened, as a recording. */
  function recorded(story: (engine: Recorder) => void): string[] {
    const kept: string[] = [];
    const sink = { write: (operation: Operation) => void kept.push(JSON.stringify(operation)) };
    const engine = recordedEngine(new Engine(1), sink, { seed: 1, at: NOW });
    const search = (seconds: number) => {
      for (const match of [...engine.pass(NOW + seconds * 1000)])
        for (const id of match?.ticketIds ?? []) engine.remove(id);
    };
    story({ ...engine, search });
    return kept;
  }

  /** Two who were matched after ten seconds, and a third who came later. */
  const lines = (meanwhile: (engine: Recorder) => void = () => undefined) =>
    recorded((engine) => {
      engine.setPool('duel', pairs);
      engine.add('duel', ticket('ann', { mu: 20 }));
      engine.add('duel', ticket('bob', { mu: 30 }));
      engine.search(10);
      meanwhile(engine);
      engine.add('duel', ticket('cyd', { mu: 21, waited: -20 }));
      engine.search(30);
      engine.remove('cyd');
      engine.search(700);
    });
  const narrow = (ticketSeconds: number) =>
    rules({
      teams: { count: 2, size: { min: 1, max: 1 } },
      skill: { maxSpread: { value: 2 }, uncertainty: 0 },
      ticketSeconds,
    });

  test('lets those wait on for whom it has no match, and finds them another', async () => {
    const { missing, other, pools } = await whatIf(
      () => read(lines()),
      () => narrow(600),
    );
    expect(missing.map((match) => match.ticketIds.toSorted())).toEqual([['ann', 'bob']]);
    expect(other.map((match) => match.ticketIds.toSorted())).toEqual([['ann', 'cyd']]);
    expect(pools.get('duel')).toMatchObject({
      recorded: { waits: { mean: 10_000 }, meanSpread: 10 },
      replayed: { waits: { mean: 20_000, max: 30_000 }, meanSpread: 1 },
    });
  });

  test('keeps them through a change of rules in between', async () => {
    const remade = lines((engine) => engine.setPool('duel', pairs));
    const { other } = await whatIf(
      () => read(remade),
      () => narrow(600),
    );
    expect(other.map((match) => match.ticketIds.toSorted())).toEqual([['ann', 'cyd']]);
  });

  test('follows those who come again into the pools in which they then stand, and no others', async () => {
    const back = recorded((engine) => {
      engine.setPool('duel', pairs);
      engine.setPool('other', narrow(600));
      for (const key of ['duel', 'other']) engine.add(key, ticket('ann', { mu: 20 }));
      engine.add('duel', ticket('bob', { mu: 30 }));
      engine.search(10);
      // the match came to nothing, and one of them wants only one game by now
      engine.add('duel', ticket('ann', { mu: 20 }));
      engine.add('other', ticket('cyd', { mu: 20 }));
      engine.search(30);
    });
    const { other, missing } = await whatIf(
      () => read(back),
      () => narrow(600),
    );
    expect([other, missing]).toEqual([[], []]);
  });

  test('lets them expire when the rules say so', async () => {
    const { missing, other, tickets } = await whatIf(
      () => read(lines()),
      () => narrow(30),
    );
    expect([missing.length, other.length, tickets]).toEqual([1, 0, 3]);
  });
});

describe('a recording file', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'maoga-recording-'))));
  afterAll(() => rmSync(folder, { recursive: true }));

  function logged() {
    const words: string[] = [];
    const logger = createLogger({ level: 'info', pretty: false }, { write: (line) => void words.push(line) });
    return { words, logger };
  }
  const session = () => recordSession(8).map((line) => JSON.parse(line) as Operation);
  const linesOf = (file: string) => readFileSync(file, 'utf8').split('\n');

  test('holds everything, is appended to by the next run, and passes over what a crash cut off', async () => {
    const file = join(folder, 'appended.ndjson');
    for (const _run of [1, 2]) {
      const recording = openRecording({ file, maxBytes: 2 ** 24 }, logged().logger);
      for (const operation of session()) recording.write(operation);
      await recording.stop();
      await recording.stop();
      appendFileSync(file, '{"op":"pa');
    }
    const torn = [...recordSession(8), '{"op":"pa'];
    expect(linesOf(file).filter((line) => line !== '')).toEqual([...torn, ...torn]);
    expect(await verify(read(linesOf(file)))).toMatchObject({ runs: 2, difference: null });
  });

  test('ends with a word at its limit, and what it holds can be replayed', async () => {
    const file = join(folder, 'limited.ndjson');
    const { words, logger } = logged();
    const recording = openRecording({ file, maxBytes: 20_000 }, logger);
    for (const operation of session()) recording.write(operation);
    await recording.stop();
    expect(words.filter((line) => /has ended: it has reached its limit/.test(line))).toHaveLength(1);
    const text = readFileSync(file, 'utf8');
    expect(text.length).toBeLessThan(20_100);
    expect(await verify(read(linesOf(file)))).toMatchObject({ full: true, difference: null });
  });

  test('ends rather than piling up what the disk does not take', async () => {
    const { words, logger } = logged();
    const file = join(folder, 'slow.ndjson');
    const recording = openRecording({ file, maxBytes: 2 ** 24 }, logger, 10_000);
    for (const operation of session()) recording.write(operation);
    await recording.stop();
    expect(words.join('')).toMatch(/has ended: the disk does not keep up/);
  });

  test('that cannot be opened is said at once, by its setting', () => {
    const file = join(folder, 'nowhere', 'file.ndjson');
    expect(() => openRecording({ file, maxBytes: 1 }, logged().logger)).toThrow(/^MATCHMAKING_RECORD: .*nowhere/);
  });
});
