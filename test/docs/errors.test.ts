import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, ERROR_CODES, toProblem } from '../../src/core/errors';

/** docs/errors.md is the table of src/core/errors.ts with advice. */

const page = readFileSync(join(__dirname, '../../docs/errors.md'), 'utf8');
const rows = [...page.matchAll(/^\| `(\w+)` +\| (\d+) +\| (.*?) +\| (.*?) +\|$/gm)].map(
  ([, code = '', status = '', title = '', advice = '']) => ({ code, status: Number(status), title, advice }),
);

it('names every code with its status and title, and no other', () => {
  const documented = Object.fromEntries(rows.map(({ code, status, title }) => [code, { status, title }]));
  expect(documented).toEqual(ERROR_CODES);
  expect(rows).toHaveLength(Object.keys(documented).length);
});

it('says for each what to do', () => {
  for (const { code, advice } of rows) expect([code, advice]).toEqual([code, expect.stringMatching(/^.{10,}\.$/)]);
});

it('shows an example that is what a client gets', () => {
  const example = JSON.parse(/```json\n(.*?)```/s.exec(page)?.[1] ?? '') as { detail: string; requestId: string };
  expect(example).toEqual(toProblem(new AppError('ALREADY_QUEUED', example.detail), example.requestId));
});
