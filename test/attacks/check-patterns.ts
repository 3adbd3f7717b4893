import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { check } from 'recheck';
import ts from 'typescript';

/**
 * Looks at every regular expression of the server and, from stdin, at those of its documents (a JSON list of patterns), and
 * prints what is not proved to take linear time. A process of its own: recheck leaves one running that would outlive a test.
 */

const ROOT = join(__dirname, '../../src');

/** The embedded database is reached by this process alone; production refuses it. */
const LEFT_OUT = /\.test\.ts$|\/testing\/|^embedded-mongo\//;

const literals = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !LEFT_OUT.test(file))
  .flatMap((file) => {
    const found: { where: string; source: string; flags: string }[] = [];
    const walk = (node: ts.Node): void => {
      if (ts.isRegularExpressionLiteral(node)) {
        const end = node.text.lastIndexOf('/');
        found.push({ where: file, source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
      }
      ts.forEachChild(node, walk);
    };
    walk(ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ESNext, true));
    return found;
  });

async function main(): Promise<void> {
  const documented = JSON.parse(readFileSync(0, 'utf8')) as string[];
  const all = [...literals, ...documented.map((source) => ({ where: 'the documents', source, flags: '' }))];
  const known = new Set<string>();
  const doubtful: string[] = [];
  for (const { where, source, flags } of all) {
    if (known.has(`${source} ${flags}`)) continue;
    known.add(`${source} ${flags}`);
    const { status } = await check(source, flags, { timeout: 30_000 });
    if (status !== 'safe') doubtful.push(`${where}: /${source}/${flags} is ${status}`);
  }
  process.stdout.write(JSON.stringify({ looked: known.size, doubtful }));
  process.exit(0);
}

void main();
