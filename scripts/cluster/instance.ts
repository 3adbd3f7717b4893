import { setTimeout as delay } from 'node:timers/promises';
import { nodeArgs, startChild, type Child } from './child';

/** One server of a cluster: the same as `npm start`, on a port of its own. */
export interface Instance {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly child: Child;
}

export interface InstanceOptions {
  name: string;
  port: number;
  env: Record<string, string | undefined>;
  cwd?: string;
  onLine?: (line: string) => void;
}

const START_MS = 120_000;
/** The proxy looks several times as often. */
const LOOKS_AWAY_SECONDS = '1';

/** Resolves when it is ready for requests. @throws with its last words where it does not come up */
export async function startInstance({ name, port, env, onLine, ...where }: InstanceOptions): Promise<Instance> {
  const lines: string[] = [];
  const child = await startChild({
    command: process.execPath,
    args: nodeArgs('src/main'),
    ...where,
    env: { DRAIN_SECONDS: LOOKS_AWAY_SECONDS, ...env, HOST: '127.0.0.1', PORT: String(port) },
    onLine(line) {
      lines.push(line);
      if (lines.length > 20) lines.shift();
      onLine?.(line);
    },
  });
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + START_MS; Date.now() < until && child.running; await delay(100))
    if (await isReady(url)) return { name, port, url, child };
  child.signal('SIGKILL');
  throw new Error(`Instance ${name} did not start:\n${lines.join('\n')}`);
}

const READY_MS = 1_000;

export async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(READY_MS) })).ok;
  } catch {
    return false;
  }
}
