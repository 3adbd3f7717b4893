import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { Failure } from '../command-line';

/** Running `mongodump` and `mongorestore`, whose archives go through pipes, and whose passwords through a file: all can see arguments. */
export interface Tool {
  path: string;
  /** Its first line about itself, such as `mongodump version: 100.13.0`. */
  version: string;
}

/** @param directory where the tools are; without it they are looked for on the PATH @returns undefined where it is not there */
export async function findTool(name: string, directory: string | undefined): Promise<Tool | undefined> {
  const places = directory === undefined ? (process.env['PATH'] ?? '').split(delimiter) : [directory];
  const path = places.map((place) => join(place, name)).find(isExecutable);
  if (path === undefined) return undefined;
  const { stdout } = await promisify(execFile)(path, ['--version']);
  return { path, version: stdout.split('\n')[0] ?? '' };
}

/** What the tool prints. @throws Failure with its last words where it fails, also after it has printed */
export async function* outputOf(tool: Tool, args: string[], uri: string): AsyncGenerator<Buffer> {
  const run = await start(tool, args, uri);
  try {
    run.child.stdin.end();
    yield* run.child.stdout as AsyncIterable<Buffer>;
    await run.success();
  } finally {
    await run.end();
  }
}

/** Gives it `input`. @throws Error of the input, Failure with the tool's last words where it fails */
export async function feed(tool: Tool, args: string[], uri: string, input: AsyncIterable<Buffer>): Promise<void> {
  const run = await start(tool, args, uri);
  try {
    run.child.stdout.resume();
    const fault = await faultOf(input, run.child.stdin);
    if (fault !== undefined) throw fault;
    await run.success();
  } finally {
    await run.end();
  }
}

/** @returns undefined also where the tool has ended before the input did: then it has said why */
async function faultOf(input: AsyncIterable<Buffer>, stdin: Writable): Promise<Error | undefined> {
  try {
    await pipeline(Readable.from(input, { objectMode: false }), stdin);
    return undefined;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EPIPE' || code === 'ERR_STREAM_PREMATURE_CLOSE' ? undefined : (error as Error);
  }
}

const LAST_WORDS = 2000;

async function start({ path }: Tool, args: string[], uri: string) {
  const folder = await mkdtemp(join(tmpdir(), 'maoga-tool-'));
  const file = join(folder, 'config.yaml');
  await writeFile(file, `uri: ${JSON.stringify(uri)}\n`, { mode: 0o600 });
  const child = spawn(path, [`--config=${file}`, ...args], { stdio: 'pipe' });
  let words = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(-LAST_WORDS);
  });
  const closed = once(child, 'close') as Promise<[number | null, string | null]>;
  closed.catch(() => undefined); // `success` tells
  return {
    child,
    async success() {
      const [code, signal] = await closed;
      const said = words.replaceAll(uri, '***').trim();
      if (code !== 0) throw new Failure(`${path} ended with ${code ?? signal}. It said:\n${said}`);
    },
    /** Leaves nothing behind: neither the process nor the password. */
    async end() {
      child.kill();
      await closed.catch(() => undefined);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
