import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** docs/security.md claims nothing without a test of that name. */

const ROOT = join(__dirname, '../..');
const page = readFileSync(join(ROOT, 'docs/security.md'), 'utf8');
const rows = [...page.matchAll(/^\| (\d+\.\d+\.\d+) \| (.+?) \| `(\S+?)`: (.+) \|$/gm)].map(
  ([, item = '', claim = '', file = '', title = '']) => ({ item, claim, file, title }),
);

it('has a row for each claim, in order, each with a test', () => {
  expect(rows.length).toBe(page.match(/^\| \d/gm)?.length);
  const order = rows.map(({ item }) => item.split('.').reduce((sum, part) => sum * 100 + Number(part), 0));
  expect(order).toEqual([...new Set(order)].sort((a, b) => a - b));
});

it.each(rows)('$item is shown by "$title"', ({ file, title }) => {
  expect(existsSync(join(ROOT, file))).toBe(true);
  const text = readFileSync(join(ROOT, file), 'utf8').replaceAll("\\'", "'");
  expect(text.includes(`'${title}'`)).toBe(true);
});
