import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { runCommand } from '../../src/embedded-mongo/commands/run-command';
import { createServerState } from '../../src/embedded-mongo/commands/server-state';
import { encodeReply, MessageCutter } from '../../src/embedded-mongo/protocol/wire';
import { decodeDocument } from '../../src/embedded-mongo/values/bson-decode';
import type { Written } from '../../src/embedded-mongo/values/bson-encode';
import { int } from '../../src/embedded-mongo/values/bson-types';
import { Store } from '../../src/embedded-mongo/storage/store';

/**
 * The embedded database without its sockets: the same bytes go in and out by a call, so that no machine decides when they arrive. For
 * the driver there is an address to connect to, at which nothing is ever said.
 */
export interface InProcessDatabase {
  readonly uri: string;
  /** A message of the wire protocol, and its reply. */
  answer(message: Uint8Array): Promise<Uint8Array>;
  /** All that is committed in a collection, past the driver: for checks that are made often. */
  readonly read: <Row>(collection: string, filter?: object) => Promise<Row[]>;
  /** Deletes every row; indexes and migrations stay. */
  clear(): Promise<void>;
  stop(): Promise<void>;
}

const COLLECTIONS = ['tickets', 'matches', 'lobbies', 'messages', 'outbox', 'leases', 'instances', 'fences', 'feeds', 'relations']; // prettier-ignore

/** @param transactionMs when a transaction ends that nobody ends */
export async function startInProcessDatabase(transactionMs: number): Promise<InProcessDatabase> {
  const door = createServer((socket) => void socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
  await once(door, 'listening');
  const address = `127.0.0.1:${(door.address() as AddressInfo).port}`;
  const store = new Store(undefined);
  const server = createServerState(store);
  server.address = address;
  server.sessions.lifetimeMs = transactionMs;
  const connection = { server, id: 1 };
  return {
    uri: `mongodb://${address}/maoga?directConnection=true`,
    async answer(bytes) {
      const cutter = new MessageCutter();
      cutter.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
      const message = cutter.next();
      if (!message) throw new Error('half a message');
      return encodeReply(message, await runCommand(connection, message.command()));
    },
    async read(collection, filter = {}) {
      const find = { find: collection, filter, batchSize: int(10_000), $db: 'maoga' };
      const { cursor } = (await runCommand(connection, find)) as unknown as { cursor: { firstBatch: Written[] } };
      return cursor.firstBatch.map(({ bytes }) => decodeDocument(bytes) as never);
    },
    async clear() {
      // a run that was broken off leaves transactions open, and the timers that would end them went with its time
      server.sessions.endAll();
      for (const collection of COLLECTIONS)
        await runCommand(connection, { delete: collection, deletes: [{ q: {}, limit: int(0) }], $db: 'maoga' });
    },
    async stop() {
      server.sessions.endAll();
      door.close();
      await once(door, 'close');
    },
  };
}
