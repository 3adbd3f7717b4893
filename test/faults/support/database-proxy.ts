import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { mongo } from 'mongoose';

/**
 * Stands between one server and its database, and knows which command passes: a fault can be made to happen at any await of the
 * server's, from outside and exactly there.
 */
export interface DatabaseProxy {
  readonly uri: string;
  /** Commands that have passed. */
  readonly passed: number;
  /** Told of each command that passes, such as `insert matches`. */
  onCommand: ((command: string) => void) | undefined;
  /** Lets the n-th command that fits spring once; resolves when it has. */
  trap(trap: Trap): Promise<void>;
  disarm(): void;
  /** Cuts every connection, and refuses new ones until `open`. */
  cut(): void;
  open(): void;
  /** Answers everything that only a primary does as one that has stepped down, until it is told that it is the primary again. */
  stepDown(): void;
  stepUp(): void;
  close(): Promise<void>;
}

export interface Trap {
  /** Such as `commitTransaction`, or `insert matches`. */
  command: string;
  nth: number;
  /** Before the database gets it, or when it is done and the server does not know: it is lost. `passing`: nothing is. */
  when: 'before' | 'after' | 'passing';
  act: () => void;
}

interface Armed extends Trap {
  left: number;
  sprung: () => void;
  /** It does nothing any more, also where it has caught a command. */
  calledOff: boolean;
}

export async function startDatabaseProxy(databasePort: number): Promise<DatabaseProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let armed: Armed | undefined;
  let newest: Armed | undefined;
  let refusing = false;
  let steppedDown = false;
  let passed = 0;

  /** The armed trap, if this command is the one it waits for. */
  const springs = (message: Buffer): Armed | undefined => {
    proxy.onCommand?.(commandOf(message));
    if (!armed || commandOf(message) !== armed.command || --armed.left > 0) return undefined;
    const trap = armed;
    armed = undefined;
    return trap;
  };

  const spring = (trap: Armed) => {
    trap.act();
    trap.sprung();
  };

  const server = createServer((client) => {
    if (refusing) return void client.destroy();
    const upstream = connect(databasePort, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [one, other] of [pair, [upstream, client]] as const) {
      one.setNoDelay(true);
      one.on('error', () => other.destroy());
      one.once('close', () => (pairs.delete(pair), other.destroy()));
    }
    let withheld: { requestId: number; trap: Armed } | undefined;
    client.on(
      'data',
      splitter((message) => {
        passed += 1;
        if (steppedDown && PRIMARY_ONLY.test(commandOf(message))) return void client.write(notPrimary(message));
        const trap = springs(message);
        if (trap?.when === 'before') return spring(trap);
        if (trap?.when === 'passing') spring(trap);
        else if (trap) withheld = { requestId: message.readInt32LE(4), trap };
        upstream.write(message);
      }),
    );
    upstream.on(
      'data',
      splitter((message) => {
        const isLost = message.readInt32LE(8) === withheld?.requestId && !withheld.trap.calledOff;
        if (withheld && isLost) return spring(withheld.trap);
        client.write(message);
      }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  const proxy: DatabaseProxy = {
    onCommand: undefined,
    uri: `mongodb://127.0.0.1:${(server.address() as AddressInfo).port}/maoga?directConnection=true`,
    get passed() {
      return passed;
    },
    trap: (trap) =>
      new Promise((sprung) => {
        armed = newest = { ...trap, left: trap.nth, sprung, calledOff: false };
      }),
    disarm() {
      armed = undefined;
      if (newest) newest.calledOff = true;
    },
    cut() {
      refusing = true;
      cut();
    },
    open: () => void (refusing = false),
    stepDown: () => void (steppedDown = true),
    stepUp: () => void (steppedDown = false),
    async close() {
      cut();
      server.close();
      await once(server, 'close');
    },
  };
  return proxy;
}

/** Whole messages out of a stream: each begins with its length. */
function splitter(take: (message: Buffer) => void): (chunk: Buffer) => void {
  let rest: Buffer = Buffer.alloc(0);
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4 && rest.length >= rest.readInt32LE(0)) {
      const length = rest.readInt32LE(0);
      const message = rest.subarray(0, length);
      rest = rest.subarray(length);
      take(message);
    }
  };
}

const { BSON } = mongo;
const OP_MSG = 2013;
const STRING = 2;

/** Name and collection of a command; empty for what is none. The first field of its document says both. */
function commandOf(message: Buffer): string {
  if (message.readInt32LE(12) !== OP_MSG || message[20] !== 0) return '';
  const nameEnd = message.indexOf(0, 26);
  const name = message.toString('latin1', 26, nameEnd);
  if (message[25] !== STRING) return name;
  const length = message.readInt32LE(nameEnd + 1);
  return `${name} ${message.toString('utf8', nameEnd + 5, nameEnd + 4 + length)}`;
}

/** Nobody reads from a secondary here. */
const PRIMARY_ONLY =
  /^(find|getMore|aggregate|count|distinct|insert|update|delete|findAndModify|commitTransaction|abortTransaction)\b/;
const HEADER_BYTES = 16;

/** What a mongod answers that is the primary no longer: of a transaction nothing is left, anything else may be sent again. */
function notPrimary(message: Buffer): Buffer {
  const command = BSON.deserialize(message.subarray(21), { allowObjectSmallerThanBufferSize: true });
  const inTransaction = command['autocommit'] === false && command['commitTransaction'] === undefined;
  const body = BSON.serialize({
    ok: 0,
    code: 10107,
    codeName: 'NotWritablePrimary',
    errmsg: 'not primary',
    errorLabels: [inTransaction ? 'TransientTransactionError' : 'RetryableWriteError'],
  });
  const reply = Buffer.alloc(HEADER_BYTES + 5 + body.length);
  reply.writeInt32LE(reply.length, 0);
  reply.writeInt32LE(message.readInt32LE(4), 8);
  reply.writeInt32LE(OP_MSG, 12);
  reply.set(body, HEADER_BYTES + 5);
  return reply;
}
