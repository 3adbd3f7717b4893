import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What the pages name is there: scripts of package.json, files, and the headings that links point to. */

const ROOT = join(__dirname, '../..');
const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: object }).scripts;

const under = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.md') && !file.includes('node_modules'))
    .map((file) => join(folder, file));

const pages = [
  ...readdirSync(ROOT)
    .filter((file) => file.endsWith('.md'))
    .map((file) => join(ROOT, file)),
  ...['docs', 'src', 'deploy']
    .map((folder) => join(ROOT, folder))
    .filter(existsSync)
    .flatMap(under),
].map((file) => [relative(ROOT, file), file] as const);

/** Headings as links name them. */
const anchorsOf = (text: string) =>
  [...text.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );

it.each(pages)('%s names only scripts that there are', (_name, file) => {
  const named = [...readFileSync(file, 'utf8').matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*[\w])/g)].map(
    ([, name]) => name ?? '',
  );
  expect(named.filter((name) => !(name in SCRIPTS))).toEqual([]);
});

it.each(pages)('%s links only to what is there', (_name, file) => {
  const text = readFileSync(file, 'utf8');
  const targets = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/g)].map(([, target]) => target ?? '');
  const dead = targets.filter((target) => {
    const [path = '', anchor] = target.split('#');
    const to = path === '' ? file : join(dirname(file), decodeURIComponent(path));
    if (!existsSync(to)) return true;
    return anchor !== undefined && to.endsWith('.md') && !anchorsOf(readFileSync(to, 'utf8')).includes(anchor);
  });
  expect(dead).toEqual([]);
});
