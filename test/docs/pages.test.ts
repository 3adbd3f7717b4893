import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What the pages point to is there. */

const ROOT = join(__dirname, '../..');
const under = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((file) => join(ROOT, folder, file));
const pages = [...readdirSync(ROOT).map((file) => join(ROOT, file)), ...under('docs'), ...under('src')].filter((file) =>
  file.endsWith('.md'),
);
const named = pages.map((page) => [relative(ROOT, page), readFileSync(page, 'utf8')] as const);

it.each(named)('%s links only to files that exist', (page, text) => {
  const targets = [...text.matchAll(/\]\((?!https?:)([^)#]+)(?:#[^)]*)?\)/g)].map(([, target = '']) => target);
  expect(targets.filter((target) => !existsSync(join(ROOT, dirname(page), target)))).toEqual([]);
});

it.each(named)('%s names only scripts that package.json has', (_page, text) => {
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object };
  const called = [...text.matchAll(/npm (?:run |)(?!ci\b|install\b|i\b)([a-z][\w:]*)/g)].map(([, name = '']) => name);
  expect(called.filter((name) => !(name in scripts))).toEqual([]);
});

const decisions = named.filter(([page]) => page.startsWith('docs/adr/'));

it('decisions are numbered without gaps, and architecture.md lists them', () => {
  const numbers = decisions.map(([page]) => Number(/(\d{4})-/.exec(page)?.[1])).sort();
  expect(numbers).toEqual(numbers.map((_, i) => i + 1));
  const listed = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  for (const [page] of decisions) expect(listed).toContain(`(${relative('docs', page)})`);
});

it.each(decisions)('%s is short, and says context, options, decision and consequences', (_page, text) => {
  expect(text.split('\n').length).toBeLessThanOrEqual(60);
  expect(text.match(/^## .*$/gm)).toEqual(['## Context', '## Options', '## Decision', '## Consequences']);
});
