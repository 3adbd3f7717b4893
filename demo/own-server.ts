import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export interface OwnServer {
  url: string;
  pid: number;
  /** What it keeps its data in, in words. */
  database: string;
  databaseUri: string;
  /** Log lines of level error and above, and whatever else it wrote, so far. */
  complaints: readonly string[];
  /** CPU time and the highest memory use of its process so far. */
  usage(): Promise<Usage>;
  /** Graceful; false where it had to be killed or ended with an error. */
  stop(): Promise<boolean>;
}

export interface Usage {
  cpuSeconds: number;
  peakRssBytes: number;
  /** How late its event loop was, ms, since it was asked the last time. */
  loopDelayP99Ms: number;
  loopDelayMaxMs: number;
}

/** What a server process runs: by default the sources as they are. */
export interface Launch {
  script: string;
  execArgv: string[];
}

const FROM_SOURCE: Launch = { script: join(__dirname, 'server-process.ts'), execArgv: ['--import', 'tsx'] };

/** What a server on this machine for nobody else may do without; never read from the environment or a `.env` file. */
const SETTINGS = {
  NODE_ENV: 'development',
  PORT: '0',
  DATA_DIR: ':memory:',
  RATE_LIMITS: 'false',
  // throw-away accounts: their passwords need not cost an attacker anything
  BCRYPT_COST: '4',
  LOG_LEVEL: 'warn',
  DOCS: 'false',
};

const PATIENCE_MS = 30_000;

/** Starts a server in a child process on a free port. @throws with its last words where it does not come up */
export async function startOwnServer(
  settings: Record<string, string> = {},
  { script, execArgv } = FROM_SOURCE,
): Promise<OwnServer> {
  const complaints: string[] = [];
  const child = fork(script, [JSON.stringify({ ...SETTINGS, ...settings })], {
    cwd: join(__dirname, '..'),
    execArgv,
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  if (child.stderr)
    createInterface(child.stderr).on('line', (line) => {
      if (isComplaint(line)) complaints.push(line);
    });
  const exited = once(child, 'exit') as Promise<[number | null]>;
  const patience = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  const ready = once(child, 'message') as Promise<[Pick<OwnServer, 'url' | 'database' | 'databaseUri'>]>;
  const failed = exited.then(([code]) => {
    throw new Error(`the server did not start (exit code ${code ?? 'none'}):\n${complaints.slice(-20).join('\n')}`);
  });
  const [where] = await Promise.race([ready, failed]).finally(() => clearTimeout(patience));
  failed.catch(() => undefined);

  return {
    ...where,
    pid: child.pid ?? 0,
    complaints,
    async usage() {
      const answer = once(child, 'message') as Promise<[Usage]>;
      child.send('usage');
      return (await answer)[0];
    },
    async stop() {
      const late = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      if (child.connected) child.disconnect();
      const [code] = await exited.finally(() => clearTimeout(late));
      return code === 0;
    },
  };
}

/** Warnings are not complaints; what is no log line at all is one. */
function isComplaint(line: string): boolean {
  try {
    return ['error', 'fatal'].includes((JSON.parse(line) as { level?: string }).level ?? 'error');
  } catch {
    return line.trim() !== '';
  }
}
