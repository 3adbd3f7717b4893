/** The server as a process of its own (cli.ts), for tests that kill it or measure it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const ROOT = join(__dirname, '../../..');

/** What Node runs unless told otherwise: the source. */
const SOURCE = ['--require', join(ROOT, 'test/support/from-source.cjs'), join(__dirname, '..', 'cli.ts')];

export interface ServerProcess {
  readonly uri: string;
  readonly pid: number;
  /** Resolves when it has exited, by this signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

const command = (program: string[], args: string[]): ChildProcess =>
  spawn(process.execPath, [...program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });

/** @throws Error with what it said, where it ends without serving */
export async function startServerProcess(args: string[], program = SOURCE): Promise<ServerProcess> {
  const child = command(program, args);
  const said = collect(child);
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  const lines = createInterface({ input: child.stdout! });
  const uri = await Promise.race([
    once(lines, 'line').then(([line]) => String(line)),
    exited.then((code) => {
      throw new Error(`the server ended with ${code} before it served: ${said()}`);
    }),
  ]);
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return exited;
  };
  return { uri, pid: child.pid!, end };
}

/** Runs the command line to its end. */
export async function runCli(args: string[]): Promise<{ code: number; text: string }> {
  const child = command(SOURCE, args);
  const said = collect(child);
  const [code] = (await once(child, 'close')) as [number];
  return { code, text: said() };
}

function collect(child: ChildProcess): () => string {
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return () => text;
}
