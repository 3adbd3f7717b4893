import { startInstance, type Instance } from './instance';

/** A place in the cluster; whoever holds it may end, and another one take it over. */
export interface Member {
  readonly name: string;
  readonly port: number;
  readonly url: string;
  readonly instance: Instance | undefined;
  /** Nothing happens where it runs. */
  start(): Promise<void>;
  /** Graceful. */
  stop(): Promise<void>;
  /** @returns false where nothing runs here */
  signal(signal: NodeJS.Signals): boolean;
}

export interface MemberOptions {
  env: Record<string, string | undefined>;
  onLine: (who: string, line: string) => void;
  /** The instance ended, how, and whether somebody had asked it to. */
  onExit: (who: string, how: string, asked: boolean) => void;
}

export function createMember(name: string, port: number, options: MemberOptions): Member {
  let instance: Instance | undefined;
  let starting: Promise<void> | undefined;
  let stopping = false;

  const launch = async () => {
    stopping = false;
    const onLine = (line: string) => options.onLine(name, line);
    const mine = await startInstance({ name, port, env: options.env, onLine });
    instance = mine;
    void mine.child.exited.then((how) => {
      if (instance === mine) instance = undefined;
      options.onExit(name, how, stopping);
    });
  };

  return {
    name,
    port,
    url: `http://127.0.0.1:${port}`,
    get instance() {
      return instance;
    },
    async start() {
      if (instance?.child.running) return;
      starting ??= launch().finally(() => (starting = undefined));
      await starting;
    },
    async stop() {
      await starting?.catch(() => undefined);
      stopping = true;
      await instance?.child.stop();
    },
    signal(signal) {
      instance?.child.signal(signal);
      return instance !== undefined;
    },
  };
}
