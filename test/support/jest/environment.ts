import { setTimeout as delay } from 'node:timers/promises';
import type { EnvironmentContext, JestEnvironmentConfig } from '@jest/environment';
import { OneRealm } from './one-realm';

/**
 * One realm, which besides fails a test file that leaves something behind: a listening server, a socket, a
 * timer, a child process. What is closing already gets a moment to finish.
 */
export default class LeakGuard extends OneRealm {
  private readonly file: string;
  private before = new Map<string, number>();

  constructor(config: JestEnvironmentConfig, context: EnvironmentContext) {
    super(config);
    this.file = context.testPath;
  }

  override async setup(): Promise<void> {
    await super.setup();
    this.before = held();
  }

  override async teardown(): Promise<void> {
    const leaked = await this.leaked();
    await super.teardown();
    if (leaked.length === 0) return;
    const error = new Error(`${this.file} leaves behind: ${leaked.join(', ')}. Stop what it started.`);
    // where this line stands helps nobody
    error.stack = error.message;
    throw error;
  }

  private async leaked(): Promise<string[]> {
    const now = () => [...held()].filter(([kind, count]) => count > (this.before.get(kind) ?? 0));
    // once in any case: what was started in the last moment shows only then
    for (let tries = 0; tries === 0 || (tries < TRIES && now().length > 0); tries++)
      await delay(LOOK_AGAIN_MS, undefined, { ref: false });
    return now().map(([kind, count]) => `${count - (this.before.get(kind) ?? 0)} ${kind}`);
  }
}

const LOOK_AGAIN_MS = 10;
const TRIES = 200;

/** How many things of each kind keep this process alive; kinds that come and go with any file or DNS request are left out. */
function held(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo())
    if (/^(Timeout|Immediate|.*Wrap|MessagePort|Worker)$/.test(kind) && !/Req/.test(kind))
      counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}
