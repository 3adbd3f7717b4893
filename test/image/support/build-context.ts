import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import dockerignore from '@balena/dockerignore';

/** What a build context holds: every file under `root` that its .dockerignore lets through, as paths from there. */
export function buildContext(root: string): string[] {
  const rules = readFileSync(join(root, '.dockerignore'), 'utf8');
  const ignore = dockerignore().add(rules);
  const mentioned = rules
    .split('\n')
    .filter((line) => line.startsWith('!'))
    .map((line) => line.slice(1).split('/')[0]);
  // as the docker client does: a folder that no exception names is not walked through
  const top = readdirSync(root, { withFileTypes: true }).filter(({ name }) => mentioned.includes(name));
  const files = top.flatMap((entry) =>
    entry.isDirectory()
      ? readdirSync(join(root, entry.name), { recursive: true, withFileTypes: true })
          .filter((inner) => !inner.isDirectory())
          .map((inner) => join(inner.parentPath, inner.name).slice(root.length + 1))
      : [entry.name],
  );
  return files.filter((file) => !ignore.ignores(file)).sort();
}
