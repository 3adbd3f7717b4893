import { AsyncLocalStorage } from 'node:async_hooks';
import type { InProcessDatabase } from './database';
import mongoose, { type ClientSession, type Connection, type ConnectOptions } from 'mongoose';

/**
 * Stands between the real driver and the real database, in the driver's own connections: a command of a simulated process goes
 * out, and its reply comes in, when the scheduler says so; or it is refused, or done and its reply lost. Whose command it is, the
 * asynchronous context says; what is asked outside of one (by the test itself) passes.
 */
export interface Gate {
  /** To the database, through the gate. */
  readonly connection: Connection;
  /** All that wait to be let on, oldest first. */
  readonly calls: readonly Call[];
  /** Counts up with every arrival. */
  readonly arrivals: number;
  /** Runs work of a process: what it asks the database is stopped here. */
  run<Result>(by: Process, work: () => Promise<Result>): Promise<Result>;
  /** A place that is no command, such as the delivery of an event: stopped, delayed and refused like one. */
  pause(what: string): Promise<void>;
  /** Lets the database do it; the reply waits here. One that meets the lock of a transaction stays `blocked`. */
  execute(call: Call): Promise<Call['state']>;
  /** Hands over the reply of what was executed. */
  deliver(call: Call): void;
  /** The caller is told that the database could not be reached: before it was executed, or although it was. */
  refuse(call: Call): void;
  /** After a transaction may have ended: whoever waited for it has been answered. */
  unblock(): Promise<void>;
  /** Nothing of this process goes out any more, and nothing comes in. */
  kill(by: Process): void;
}

/** One life of an instance. */
export interface Process {
  readonly name: string;
  dead: boolean;
}

export interface Call {
  readonly by: Process;
  /** Such as `find tickets`, `commitTransaction` or `tell`. */
  readonly what: string;
  readonly command: Record<string, unknown>;
  readonly inTransaction: boolean;
  state: 'waiting' | 'blocked' | 'answered';
}

interface Held extends Call {
  send: () => Promise<unknown>;
  outcome?: { value: unknown } | { error: unknown };
  resolve: (value: unknown) => void;
  reject: (error: unknown) => void;
}

/** Changes a reply before it comes in: how a test plants a bug. */
export interface Tampering {
  reply?: (what: string, reply: unknown, command: Record<string, unknown>) => unknown;
}

export class Dead extends Error {
  override name = 'Dead';
}

const GREETINGS = ['hello', 'ismaster'];
const ENDS = ['commitTransaction', 'abortTransaction'];

export async function openGate(database: InProcessDatabase, tampering: () => Tampering): Promise<Gate> {
  const context = new AsyncLocalStorage<Process>();
  const calls: Held[] = [];
  let arrivals = 0;

  const stop = (held: Omit<Held, 'state' | 'resolve' | 'reject'>): Promise<unknown> => {
    if (held.by.dead) return Promise.reject(new Dead(held.by.name));
    arrivals += 1;
    return new Promise((resolve, reject) => calls.push({ ...held, state: 'waiting', resolve, reject }));
  };

  const release = (call: Held) => void calls.splice(calls.indexOf(call), 1);

  const unblock = async () => {
    if (!calls.some((call) => call.state === 'blocked')) return;
    await turn();
    for (const call of calls) if (call.outcome) call.state = 'answered';
    for (const call of calls.filter(({ by, state }) => by.dead && state === 'answered')) {
      release(call);
      call.reject(new Dead(call.by.name));
    }
  };

  class GatedConnection extends DriverConnection {
    override async command(ns: { db: string }, command: Record<string, unknown>, options?: Options, type?: unknown) {
      const by = context.getStore();
      const what = nameOf(command);
      if (!by || GREETINGS.includes(what)) return super.command(ns, command, options, type);
      const send = () => super.command(ns, command, options, type);
      const inTransaction = (options?.session?.inTransaction() ?? false) && !ENDS.includes(what);
      const reply = await stop({ by, what, command, inTransaction, send });
      return tampering().reply?.(what, reply, command) ?? reply;
    }

    /** To the database and back without the socket. */
    override async *sendWire(message: WireMessage, _: object, type: WireReply = MongoDBResponse) {
      const reply = await database.answer(Buffer.concat(await message.toBin()));
      yield type.make(reply.subarray(message.constructor.name === 'OpQueryRequest' ? 36 : 21));
    }
  }

  const connection = await mongoose
    .createConnection(database.uri, {
      autoIndex: false,
      autoCreate: false,
      writeConcern: { w: 'majority' },
      connectionType: GatedConnection,
      // all made beforehand: to make one takes as long as the machine likes
      minPoolSize: POOL,
      maxPoolSize: POOL,
      // Mongoose takes the time between heartbeats from two clocks here, and believes itself cut off: there is only the first one
      serverMonitoringMode: 'poll',
      heartbeatFrequencyMS: 24 * 3_600_000,
    } as ConnectOptions)
    .asPromise();

  const gate: Gate = {
    connection,
    calls,
    get arrivals() {
      return arrivals;
    },
    run: (by, work) => context.run(by, work),
    async pause(what) {
      const by = context.getStore();
      if (by) await stop({ by, what, command: {}, inTransaction: false, send: async () => undefined });
    },
    async execute(call) {
      const held = call as Held;
      held.state = 'blocked';
      void held.send().then(
        (value) => (held.outcome = { value }),
        (error: unknown) => (held.outcome = { error }),
      );
      // the database answers at once, unless it waits for the end of a transaction
      await turn();
      if (held.outcome) held.state = 'answered';
      if (ENDS.includes(held.what)) await unblock();
      return held.state;
    },
    deliver(call) {
      const held = call as Held;
      release(held);
      if (!held.outcome) throw new Error(`${held.what} has no reply yet`);
      if ('error' in held.outcome) held.reject(held.outcome.error);
      else held.resolve(held.outcome.value);
    },
    refuse(call) {
      const held = call as Held;
      release(held);
      held.reject(unreachable(held));
    },
    unblock,
    kill(by) {
      by.dead = true;
      // the connection of a blocked one is not free before its reply is there
      for (const call of calls.filter((each) => each.by === by && each.state !== 'blocked')) {
        release(call);
        call.reject(new Dead(by.name));
      }
    },
  };

  /** Has as many commands under way as there are connections, and so makes them all. */
  const warmUp = async () => {
    const pings = () => Promise.all(Array.from({ length: POOL }, async () => connection.db?.command({ ping: 1 })));
    const done = gate.run({ name: 'warm-up', dead: false }, pings);
    while (calls.length < POOL) await turn();
    for (const call of [...calls]) {
      await gate.execute(call);
      gate.deliver(call);
    }
    await done;
  };
  await warmUp();
  return gate;
}

const POOL = 24;

interface Options {
  session?: ClientSession;
}

interface WireMessage {
  toBin(): Promise<Uint8Array[]>;
}

interface WireReply {
  make(bson: Uint8Array): unknown;
}

/** Of the driver, which takes another class of connections as the option `connectionType`, and does not export its own. */
function ofDriver<Exports>(path: string): Exports {
  // eslint-disable-next-line @typescript-eslint/no-require-imports
  return require(require.resolve(`mongodb/lib/${path}`, { paths: [require.resolve('mongoose')] })) as Exports;
}

const { Connection: DriverConnection } = ofDriver<{
  Connection: new (...args: unknown[]) => {
    command(ns: { db: string }, command: object, options?: Options, type?: unknown): Promise<unknown>;
    sendWire(message: WireMessage, options: object, type?: WireReply): AsyncGenerator<unknown>;
  };
}>('cmap/connection');
const { MongoDBResponse } = ofDriver<{ MongoDBResponse: WireReply }>('cmap/wire_protocol/responses');

const turn = () => new Promise(setImmediate);

function nameOf(command: Record<string, unknown>): string {
  const [name = '', of] = Object.entries(command)[0] ?? [];
  return typeof of === 'string' ? `${name} ${of}` : name;
}

/** As a router answers that has lost its shard: the driver repeats what may be repeated, and takes nothing for granted. */
function unreachable({ what, inTransaction }: Call): Error {
  if (what.startsWith('tell')) return new Error('a socket could not be written to');
  return new mongoose.mongo.MongoServerError({
    ok: 0,
    code: 6,
    codeName: 'HostUnreachable',
    errmsg: 'the shard cannot be reached',
    errorLabels: [inTransaction ? 'TransientTransactionError' : 'RetryableWriteError'],
  });
}
