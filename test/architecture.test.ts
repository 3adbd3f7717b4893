import { execFile } from 'node:child_process';
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** The boundaries of src/ hold, and each rule that says so catches what it is there for. */

const ROOT = join(__dirname, '..');

/** Folders of the embedded database, and a file in one further up. */
const EMBEDDED_LAYERS = [
  ['values', 'expressions/expression-types'],
  ['expressions', 'filters/match'],
  ['filters', 'aggregation/pipeline'],
  ['aggregation', 'updates/update'],
  ['updates', 'storage/versions'],
  ['storage', 'queries/bounds'],
  ['queries', 'commands/command'],
  ['commands', 'protocol/wire'],
] as const;
const plantedIn = ([layer, above]: (typeof EMBEDDED_LAYERS)[number]): [string, string, string] => [
  `embedded-mongo-${layer}-know-nothing-above`,
  `embedded-mongo/${layer}/planted.ts`,
  `export type * from '../${above}';`,
];

/** A file to plant, what it contains, and the one rule it breaks. */
const PLANTS: [rule: string, file: string, content: string][] = [
  [
    'no-cycles',
    'core/planted-egg.ts',
    "import type * as hen from './planted-hen'; export const egg: typeof hen[] = [];",
  ],
  ['no-unresolvable-imports', 'http/planted-nowhere.ts', "export * from './nowhere';"],
  ['production-code-knows-no-tests', 'http/planted-test.ts', "export * from '../core/planted.test';"],
  ['production-code-uses-dependencies-only', 'http/planted-tool.ts', "export * from 'fast-check';"],
  ['core-knows-only-itself', 'core/planted-module.ts', "export * from '../modules/users';"],
  ['core-knows-only-itself', 'core/planted-database.ts', "export * from '../database/transaction';"],
  ['config-knows-only-itself', 'config/planted.ts', "export * from '../core/errors';"],
  ['infrastructure-knows-no-modules', 'http/planted-module.ts', "export * from '../modules/users';"],
  ['infrastructure-knows-no-modules', 'mail/planted-module.ts', "export * from '../modules/users';"],
  ['infrastructure-knows-no-modules', 'database/planted-server.ts', "export type { MaogaServer } from '../server';"],
  [
    'modules-do-not-know-the-server',
    'modules/users/planted-server.ts',
    "export type { MaogaServer } from '../../server';",
  ],
  ['modules-meet-at-index', 'modules/lobbies/planted-value.ts', "export * from '../users/users.module';"],
  ['modules-meet-at-index', 'modules/lobbies/planted-type.ts', "export type * from '../users/users.api';"],
  ['server-meets-modules-at-index', 'planted-server.ts', "export * from './modules/users/users.module';"],
  ['engine-is-pure', 'modules/matchmaking/engine/planted-builtin.ts', "export { randomInt } from 'node:crypto';"],
  ['engine-is-pure', 'modules/matchmaking/engine/planted-library.ts', "export { z } from 'zod';"],
  ['engine-is-pure', 'modules/matchmaking/engine/planted-core.ts', "export * from '../../../core/clock';"],
  ['embedded-mongo-stands-alone', 'embedded-mongo/planted.ts', "export * from '../core/clock';"],
  ['embedded-mongo-is-entered-at-index', 'database/planted-inside.ts', "export * from '../embedded-mongo/limits';"],
  ...EMBEDDED_LAYERS.map(plantedIn),
];

/** What some of those import. */
const STAND_INS: [file: string, content: string][] = [
  ['core/planted-hen.ts', "export { egg } from './planted-egg';"],
  ['core/planted.test.ts', 'export const planted = true;'],
];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'maoga-architecture-'));
  for (const part of ['src', 'test', 'package.json', 'tsconfig.json', '.dependency-cruiser.cjs'])
    await cp(join(ROOT, part), join(folder, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const planted = [...STAND_INS, ...PLANTS.map(([, file, content]) => [file, content] as const)];
  for (const [file, content] of planted) await writeFile(join(folder, 'src', file), `${content}\n`);
});

afterAll(() => rm(folder, { recursive: true }));

it('src/ keeps every boundary', async () => {
  const { violations, looked } = await cruise(ROOT);
  expect(violations).toEqual([]);
  expect(looked).toBeGreaterThan(100);
});

it('each rule catches what was planted for it, and nothing else does', async () => {
  const { violations, rules } = await cruise(folder);
  const caught = violations.filter(({ from }) => from.includes('planted')).map(({ rule, from }) => `${rule}: ${from}`);
  expect([...new Set(caught)].sort()).toEqual(PLANTS.map(([rule, file]) => `${rule}: src/${file}`).sort());
  // a new rule needs a planted violation too
  expect(rules.sort()).toEqual([...new Set(PLANTS.map(([rule]) => rule))].sort());
});

interface Report {
  violations: { rule: string; from: string; to: string }[];
  /** Names of the rules that were applied. */
  rules: string[];
  /** Number of files. */
  looked: number;
}

/** What the command of `npm run lint` finds in a folder. */
async function cruise(cwd: string): Promise<Report> {
  const tool = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [tool, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd, maxBuffer: 64e6 });
  const { summary } = JSON.parse(stdout) as {
    summary: {
      violations: { rule: { name: string }; from: string; to: string }[];
      ruleSetUsed: { forbidden: { name: string }[] };
      totalCruised: number;
    };
  };
  return {
    violations: summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to })),
    rules: summary.ruleSetUsed.forbidden.map(({ name }) => name),
    looked: summary.totalCruised,
  };
}
