import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * docs/licences.md lists what is installed with the server and under which licence, by package-lock.json. After a change of
 * dependencies: `UPDATE_DOCS=1 npx jest test/docs/licences.test.ts`.
 */

const ROOT = join(__dirname, '../..');
const FILE = join(ROOT, 'docs/licences.md');

interface Package {
  version: string;
  license?: string;
  dev?: boolean;
}
const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
  packages: Record<string, Package>;
};

/** Licences that ask for no more than to be named. A new one wants somebody to look at it. */
const FREE = new Set([
  '(MIT OR Apache-2.0)', '(MIT OR WTFPL)', '0BSD', 'Apache-2.0', 'Apache-2.0 AND BSL-1.0', 'Apache-2.0 AND MIT', 'BSD-2-Clause', 'BSD-3-Clause', 'BlueOak-1.0.0',
  'CC0-1.0', 'CC-BY-4.0', 'ISC', 'MIT', 'MIT-0', 'MPL-2.0', 'Python-2.0', 'Unlicense', '(AFL-2.1 OR BSD-3-Clause)', 'MIT AND ISC', '(MIT AND CC-BY-3.0)',
]); // prettier-ignore

const installed = Object.entries(packages)
  .filter(([path, { dev }]) => path !== '' && !dev)
  .map(([path, { version, license }]) => ({
    name: path.slice(path.lastIndexOf('node_modules/') + 13),
    version,
    license,
  }));

test('every package that is installed with the server has a licence that asks for no more than to be named', () => {
  expect(installed.length).toBeGreaterThan(100);
  expect(
    installed.filter(({ license }) => !FREE.has(license ?? '')).map(({ name, license }) => `${name}: ${license}`),
  ).toEqual([]);
});

test('docs/licences.md lists them', () => {
  const byLicence = new Map<string, Set<string>>();
  for (const { name, version, license = 'none' } of installed)
    byLicence.set(license, (byLicence.get(license) ?? new Set()).add(`${name} ${version}`));
  const sections = [...byLicence]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([licence, names]) => `## ${licence}\n\n${[...names].sort().join(', ')}\n`);
  const page = `# Licences of dependencies

Maoga itself is under the [MIT licence](../LICENSE). With it these packages are installed (\`npm ci --omit=dev\`); the list is written from
package-lock.json by \`UPDATE_DOCS=1 npx jest test/docs/licences.test.ts\`, and a test compares the two.

<!-- prettier-ignore-start -->
${sections.join('\n')}
<!-- prettier-ignore-end -->
`;
  if (process.env['UPDATE_DOCS']) writeFileSync(FILE, page);
  expect(readFileSync(FILE, 'utf8')).toBe(page);
});
