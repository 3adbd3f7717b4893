import { createContext, type Context } from 'node:vm';
import type { JestEnvironment, JestEnvironmentConfig } from '@jest/environment';
import { ModernFakeTimers } from '@jest/fake-timers';
import { ModuleMocker } from 'jest-mock';

/**
 * The environment of runtime.cjs: tests, and what they test, live in the worker's own world, where an error of Node is an `Error`
 * like any other. What a test file changed there is as before when it has ended.
 */
export class OneRealm implements JestEnvironment {
  readonly global = globalThis as unknown as JestEnvironment['global'];
  readonly moduleMocker = new ModuleMocker(globalThis);
  readonly fakeTimers = null;
  readonly fakeTimersModern: ModernFakeTimers;

  private readonly console = globalThis.console;
  private readonly exit = process.exit.bind(process);
  private readonly env = process.env;
  private readonly variables = { ...process.env };
  /** Nothing runs in it; it stands for one where Jest asks. */
  private readonly context = createContext();

  constructor({ projectConfig }: JestEnvironmentConfig) {
    this.fakeTimersModern = new ModernFakeTimers({ config: projectConfig, global: globalThis });
  }

  async setup(): Promise<void> {}

  async teardown(): Promise<void> {
    this.fakeTimersModern.dispose();
    globalThis.console = this.console;
    process.exit = this.exit;
    process.env = this.env;
    for (const name of Object.keys(process.env)) if (!(name in this.variables)) delete process.env[name];
    Object.assign(process.env, this.variables);
  }

  getVmContext(): Context {
    return this.context;
  }
}
