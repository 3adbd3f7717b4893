import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FROM_SOURCE } from '../../../../test/support/command';
import { loadScenarios, ScenarioFault, scenarioFiles, type LoadedScenario } from './load';
import { reportOf } from './report';
import { runScenario } from './run';
import { scenarioJsonSchema, type Moment } from './scenario.schema';

/** The scenarios that ship with the server hold, a wrong one fails and says why, and a faulty file says where. */

const ROOT = join(__dirname, '../../../..');
const SHIPPED = join(ROOT, 'src/modules/games/scenarios');
const DUEL = { teams: { count: 2, size: { min: 1, max: 1 } }, skill: { maxSpread: { value: 5 } } };

let folder: string;
beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'maoga-scenarios-'))));
afterAll(() => rmSync(folder, { recursive: true }));

function written(content: unknown, name = 'own.json'): string {
  const file = join(folder, name);
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

const run = (scenario: object): LoadedScenario =>
  loadScenarios(written({ rules: DUEL, scenarios: [{ name: 'it', ...scenario }] }))[0]!;

describe('the scenarios that ship with the server', () => {
  let scenarios: LoadedScenario[];
  beforeAll(async () => {
    scenarios = (await scenarioFiles([SHIPPED])).flatMap((file) => loadScenarios(file));
  });

  test('all hold', () => {
    expect(scenarios.length).toBeGreaterThan(70);
    expect(reportOf(scenarios.map((scenario) => ({ scenario, differences: runScenario(scenario) })))).toMatch(
      /^\d+ passed, 0 failed/,
    );
  });

  test('hold in whatever order the tickets are written down', () => {
    for (const scenario of scenarios) {
      const turned = { ...scenario, tickets: Object.fromEntries(Object.entries(scenario.tickets).reverse()) };
      expect([scenario.name, runScenario(turned)]).toEqual([scenario.name, []]);
    }
  });

  test('fail, each of them, as soon as one match less or one more is expected', () => {
    for (const scenario of scenarios) {
      const [first, ...later] = scenario.expect as [Moment, ...Moment[]];
      const [one, ...others] = first.matches;
      const wrong = one ? others : [{ tickets: Object.keys(scenario.tickets) }];
      const differences = runScenario({ ...scenario, expect: [{ ...first, matches: wrong }, ...later] });
      expect([scenario.name, differences.length]).not.toEqual([scenario.name, 0]);
    }
  });

  test('are described to editors by the schema beside them', () => {
    const kept = JSON.parse(readFileSync(join(SHIPPED, 'scenario.schema.json'), 'utf8')) as object;
    expect(kept).toEqual(JSON.parse(JSON.stringify(scenarioJsonSchema())));
  });
});

describe('a scenario', () => {
  const far = { ann: { mu: 20 }, bob: { mu: 27 } };

  test.each<[string, object, RegExp, RegExp]>([
    ['a match that is not made', { tickets: far, expect: { matches: [['ann', 'bob']] } }, /ann \+ bob/, /no match/],
    ['a match that is made', { tickets: { ann: {}, bob: {} }, expect: {} }, /no such match/, /ann \+ bob/],
    [
      'others than those expected',
      { tickets: { ann: { mu: 20 }, bob: { mu: 21 }, cyd: { mu: 24 } }, expect: { matches: [['bob', 'cyd']] } },
      /bob \+ cyd/,
      /ann \+ bob/,
    ],
    [
      'a region',
      {
        tickets: { ann: { regions: ['EU'] }, bob: {} },
        expect: { matches: [{ tickets: ['ann', 'bob'], region: 'NA' }] },
      },
      /region NA/,
      /region EU/,
    ],
    [
      'teams',
      {
        tickets: { ann: {}, bob: {} },
        expect: { matches: [{ tickets: ['ann', 'bob'], teams: [['ann', 'bob'], []] }] },
      },
      /teams /,
      /ann against bob/,
    ],
    [
      'a reason',
      { tickets: far, expect: { waits: { ann: { because: ['region'] } } } },
      /ann waits: because of region/,
      /because of skill/,
    ],
    ['a refusal', { tickets: far, expect: {}, refused: { ann: 'too strong' } }, /ann is refused/, /let in/],
    ['that nobody is refused', { tickets: { duo: { party: 2 } }, expect: {} }, /duo is let in/, /at most 1 players/],
    [
      'a role and a quality',
      {
        tickets: { ann: {}, bob: {} },
        expect: { matches: [{ tickets: ['ann', 'bob'], roles: { ann: 'tank' }, quality: { max: 0.1 } }] },
      },
      /role of ann tank[^]*quality from 0 to 0.1/,
      /role of ann null[^]*quality 0\.\d+/,
    ],
  ])('that expects %s wrongly fails', (_what, scenario, expected, got) => {
    const differences = runScenario(run(scenario));
    expect(differences.map((one) => one.expected).join('\n')).toMatch(expected);
    expect(differences.map((one) => one.got).join('\n')).toMatch(got);
  });

  test('says of a ticket that waits against expectation why it does', () => {
    const scenario = run({ tickets: far, expect: { at: 30, matches: [['ann', 'bob']] } });
    const report = reportOf([{ scenario, differences: runScenario(scenario) }]);
    expect(report).toMatch(/FAILED {2}it/);
    expect(report).toMatch(
      /ann has waited 30 s: of 1 other ticket 0 would do; skill keeps 1 away; a rating 7 away is 2 too far/,
    );
  });

  test('takes its rules from a file of its own, by a path beside it', () => {
    written(DUEL, 'rules.json');
    const scenario = { name: 'it', tickets: { ann: {}, bob: {} }, expect: { matches: [['ann', 'bob']] } };
    const [loaded] = loadScenarios(written({ rules: { file: 'rules.json' }, scenarios: [scenario] }));
    expect(runScenario(loaded!)).toEqual([]);
  });
});

describe('a scenario file that cannot be used', () => {
  const one = (scenario: object, rules: unknown = DUEL) => ({
    rules,
    scenarios: [{ name: 'it', expect: {}, ...scenario }],
  });
  const tickets = { ann: {}, bob: {} };

  test.each<[string, unknown, RegExp]>([
    ['no JSON', '{', /JSON/],
    ['no scenarios', { rules: DUEL, scenarios: [] }, /- scenarios: /],
    ['no rules', { scenarios: [{ name: 'it', tickets, expect: {} }] }, /- scenarios\.0\.rules: is missing/],
    ['a mode unknown', one({ tickets }, 'chess/polo'), /catalogue has no mode chess\/polo/],
    [
      'rules at fault',
      one({ tickets }, { teams: { count: 0, size: { min: 1, max: 1 } } }),
      /- rules\.teams\.count: .*>=1/,
    ],
    ['rules in a file that is not there', one({ tickets }, { file: 'gone.json' }), /gone\.json cannot be used/],
    ['a word mistyped', one({ tickets: { ann: { regoins: ['EU'] } } }), /- scenarios\.0\.tickets\.ann: .*"regoins"/],
    [
      'a name mistyped',
      one({ tickets, expect: { matches: [['ann', 'bbo']] } }),
      /matches\.0\.1: there is no ticket bbo/,
    ],
    ['a wait of nobody', one({ tickets, expect: { waits: { cyd: {} } } }), /waits\.cyd: there is no ticket cyd/],
    [
      'one ticket twice',
      one({ tickets, expect: [{ matches: [['ann', 'bob']] }, { at: 5, matches: [['ann', 'bob']] }] }),
      /expect\.1\.matches\.0\.0: ann is in another match/,
    ],
    ['time that runs back', one({ tickets, expect: [{ at: 5 }, { at: 5 }] }), /expect\.1\.at: must be later/],
    ['a pool unknown', one({ tickets: { ann: { games: { polo: 5 } } } }), /games\.polo: there is no such pool/],
    ['seats for nobody', one({ tickets: { ann: { seats: [0, 1] } } }), /ann\.seats: must name a team for each player/],
    [
      'the same name twice',
      { rules: DUEL, scenarios: [one({ tickets }), one({ tickets })].flatMap((f) => f.scenarios) },
      /name twice/,
    ],
  ])('for %s says where', (_what, content, message) => {
    const load = () => loadScenarios(written(content));
    expect(load).toThrow(ScenarioFault);
    expect(load).toThrow(message);
  });
});

describe('npm run rules:test', () => {
  const command = (...args: string[]) =>
    new Promise<{ code: number; said: string; complained: string }>((resolve) => {
      execFile(
        process.execPath,
        [...FROM_SOURCE, 'scripts/rules-test.ts', ...args],
        { cwd: ROOT },
        (error, said, complained) => resolve({ code: error ? Number(error.code) : 0, said, complained }),
      );
    });

  test('exits with 0 where all holds, 1 where something differs, 2 where it cannot run', async () => {
    const scenario = { name: 'nobody meets', tickets: { ann: {}, bob: {} }, expect: {} };
    const wrong = written({ rules: DUEL, scenarios: [scenario] }, 'wrong.json');
    const [good, bad, none] = await Promise.all([
      command(join(SHIPPED, 'teams.json')),
      command(wrong),
      command(join(folder, 'nowhere')),
    ]);
    expect(good).toMatchObject({
      code: 0,
      said: expect.stringMatching(/^\d+ passed, 0 failed: \d+ scenarios in 1 file\n$/),
    });
    expect(bad).toMatchObject({ code: 1, said: expect.stringContaining('FAILED  nobody meets') });
    expect(none).toMatchObject({
      code: 2,
      complained: expect.stringMatching(/nowhere: there is no such file or folder\n$/),
    });
  });
});
