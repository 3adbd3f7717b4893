import { spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A process that belongs to this one, and takes its signals from nobody else. */
export interface Child {
  readonly pid: number;
  readonly running: boolean;
  /** How it ended, in words; resolves once it has. */
  readonly exited: Promise<string>;
  signal(signal: NodeJS.Signals): void;
  /** Asks it to stop and waits; kills it where it takes longer. @returns whether it stopped by itself, and well */
  stop(patienceMs?: number): Promise<boolean>;
}

export interface ChildOptions {
  command: string;
  args: string[];
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Id of the user and of the group that it runs as; only root may say so. */
  runAs?: number;
  /** Every line that it writes, to whichever stream. */
  onLine?: (line: string) => void;
}

const PATIENCE_MS = 30_000;
const running = new Set<Child>();

// nothing is left behind, however this process ends, unless it is killed itself
process.once('exit', () => running.forEach((child) => child.signal('SIGKILL')));

/** @throws where there is no such command */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { command, args, env, cwd, runAs, onLine = () => undefined } = options;
  // a group of its own: Ctrl-C in the terminal is for the parent, which stops its children in order
  const spawned = spawn(command, args, {
    cwd,
    env: env ?? process.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(runAs === undefined ? {} : { uid: runAs, gid: runAs }),
  });
  for (const stream of [spawned.stdout, spawned.stderr]) createInterface(stream).on('line', onLine);
  await once(spawned, 'spawn');
  let code: number | null | undefined;
  let asked = false;
  const exited = (once(spawned, 'exit') as Promise<[number | null, string | null]>).then(([status, signal]) => {
    code = status;
    running.delete(child);
    return signal === null ? `ended with exit code ${status}` : `ended by ${signal}`;
  });
  const child: Child = {
    pid: spawned.pid ?? 0,
    get running() {
      return code === undefined;
    },
    exited,
    signal: (signal) => void spawned.kill(signal),
    async stop(patienceMs = PATIENCE_MS) {
      const late = setTimeout(() => child.signal('SIGKILL'), patienceMs);
      // one that is frozen could not hear it
      child.signal('SIGCONT');
      if (!asked) child.signal('SIGTERM');
      asked = true;
      await exited;
      clearTimeout(late);
      return code === 0;
    },
  };
  running.add(child);
  return child;
}

/**
 * How this checkout, or what was built from it, runs a file of its own: arguments for `node`. With MAOGA_RUN_BUILT a checkout runs what
 * was built from it last, which starts in half the time.
 */
export function nodeArgs(file: string): string[] {
  const root = join(__dirname, '../..');
  if (!__filename.endsWith('.ts')) return [join(root, `${file}.js`)];
  if (process.env['MAOGA_RUN_BUILT'] === 'true') return ['--enable-source-maps', join(root, `dist/${file}.js`)];
  return ['--import', 'tsx', join(root, `${file}.ts`)];
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
