import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** What the pages name is there: scripts of package.json with their options, programs of the image, metrics, files, and headings. */

const ROOT = join(__dirname, '../..');
const SCRIPTS = (JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> })
  .scripts;

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

/** The source of what `npm run <script>` starts, and of what lies beside it under the same name. */
function sourceOf(script: string): string {
  const started = /(?:tsx|node)(?: -\S+| tsx)* (\S+\.[jt]s)/.exec(SCRIPTS[script] ?? '')?.[1] ?? '';
  const entry = started.replace('dist/bench/', '').replace(/\.js$/, '.ts');
  const folder = entry.endsWith('main.ts') ? dirname(entry) : entry.slice(0, -'.ts'.length);
  const beside = existsSync(join(ROOT, folder)) ? sourcesUnder(join(ROOT, folder)) : '';
  return readFileSync(join(ROOT, entry), 'utf8') + beside;
}

const sourcesUnder = (folder: string): string =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');

it.each(pages)('%s gives scripts only options that they know', (_name, file) => {
  const calls = [...readFileSync(file, 'utf8').matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*) -- ([^`|#\n]*)/g)];
  const own = calls.filter(([, script = '']) => !/^test|jest/.test(SCRIPTS[script] ?? script));
  const unknown = own.flatMap(([, script = '', given = '']) => {
    const options = [...given.matchAll(/(?<!\S)--([a-z][\w-]*)/g)].map(([, option = '']) => option);
    const source = options.length > 0 ? sourceOf(script) : '';
    return options
      .filter((option) => !new RegExp(`--${option}\\b|\\b${option}\\b['"]?: [{a-z]`).test(source))
      .map((option) => `${script} --${option}`);
  });
  expect(unknown).toEqual([]);
});

it.each(pages)('%s names only programs that the image holds', (_name, file) => {
  const named = [...readFileSync(file, 'utf8').matchAll(/\bdist\/([\w/-]+)\.js\b/g)].map(([, path = '']) => path);
  expect(named.filter((path) => !existsSync(join(ROOT, `${path}.ts`)))).toEqual([]);
});

const server = sourcesUnder(join(ROOT, 'src'));

it.each(pages)('%s names only metrics that the server has', (_name, file) => {
  const named = [...readFileSync(file, 'utf8').matchAll(/\bmaoga_[a-z_]*[a-z]\b/g)].map(([name]) =>
    name.replace(/_(bucket|sum|count)$/, ''),
  );
  expect(named.filter((name) => !server.includes(`'${name}'`))).toEqual([]);
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
