import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FROM_SOURCE } from '../test/support/command';
import { readProfile, readRules } from './json-files';
import { simulateOptions } from './options';
import { BY_HAND } from './testing/duels';

describe('npm run simulate', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'simulate-'))));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [...FROM_SOURCE, join(__dirname, 'main.ts'), ...args], { encoding: 'utf8' });

  it('compares the example rule sets over a trace, shows how far it is, and writes the report', () => {
    const examples = ['ranked-strict', 'ranked-widening'].map((name) => join(__dirname, 'examples', `${name}.json`));
    const [rules = '', against = ''] = examples;
    const out = join(folder, 'report.html');
    const trace = file('trace.ndjson', BY_HAND);
    const { status, stderr } = run('--rules', rules, '--against', against, '--trace', trace, '--out', out);
    expect(stderr).toContain('░');
    expect(stderr).toContain(`Report: ${out}`);
    expect(status).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('<title>Simulation: ranked-strict and ranked-widening</title>');
  });

  it('ends with 2 and names every fault of a rule set, and writes nothing', () => {
    const bad = { teams: { count: 2, size: { min: 3, max: 1 } }, speed: 1 };
    const { status, stderr } = run(
      '--rules',
      file('bad.json', JSON.stringify(bad)),
      '--out',
      join(folder, 'none.html'),
    );
    expect(status).toBe(2);
    expect(stderr).toContain('"speed"');
    expect(stderr).not.toContain('    at ');
    expect(() => readFileSync(join(folder, 'none.html'))).toThrow('ENOENT');
  });

  it('says what a rule set or a population lacks', () => {
    const bad = { teams: { count: 2, size: { min: 3, max: 1 } } };
    expect(() => readRules(file('bad.json', JSON.stringify(bad)))).toThrow('teams.size.max: must be at least min');
    expect(() => readRules(file('text.json', 'teams'))).toThrow('cannot be read');
    expect(() => readRules(join(folder, 'missing.json'))).toThrow('ENOENT');
    expect(() => readProfile(file('profile.json', '{"parties": [0]}'))).toThrow('parties: must have a size above 0');
    expect(readProfile(undefined).churn).toBe(0.2);
  });

  it.each([
    [[], '--rules must name a rule set'],
    [['--rules', 'a', '--arrivals', '0'], '--arrivals must be a whole number from 1 to 1000000'],
    [['--rules', 'a', '--trace', 't', '--hours', '2'], '--hours describes a population'],
    [['--rules', 'a', '--pool', 'p'], 'together with --trace'],
    [['--rules', 'a', '--colour', 'red'], "Unknown option '--colour'"],
  ])('says what is wrong with %j', (args, fault) => {
    expect(() => simulateOptions(args)).toThrow(fault);
  });
});
