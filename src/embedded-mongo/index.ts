/**
 * A MongoDB-compatible server in this process: drivers connect to it over loopback TCP as to a replica set of one node. `README.md` tells what it does and
 * what it refuses.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { type Server } from './commands/command';
import { serveConnection } from './protocol/connection';
import { SET_NAME } from './commands/server';
import { openDisk } from './storage/disk';
import { startMonitor } from './commands/monitor';
import { createServerState } from './commands/server-state';
import { Store } from './storage/store';

export interface EmbeddedMongoOptions {
  /** Where the data is kept, made if there is none; without it, everything is in memory and goes with `stop`. */
  directory?: string;
  /** On 127.0.0.1; any free one by default. */
  port?: number;
}

export interface EmbeddedMongo {
  uri: string;
  /** Closes all connections and the data directory. May be called twice. */
  stop(): Promise<void>;
}

/** @throws Error if the directory is in use by another process (the message names it), or the port is */
export async function startEmbeddedMongo({ directory, port = 0 }: EmbeddedMongoOptions = {}): Promise<EmbeddedMongo> {
  const disk = directory === undefined ? undefined : await openDisk(directory, fail);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    serveConnection(socket, server);
  });
  const store = new Store(disk);
  const server: Server = createServerState(store, () => monitor.rearm());
  const monitor = startMonitor(server);
  try {
    listener.listen(port, '127.0.0.1');
    await once(listener, 'listening');
  } catch (error) {
    monitor.stop();
    await disk?.close();
    throw error;
  }
  server.address = `127.0.0.1:${(listener.address() as AddressInfo).port}`;
  let stopped: Promise<void> | undefined;

  async function close(): Promise<void> {
    monitor.stop();
    const closed = once(listener, 'close');
    listener.close();
    for (const socket of sockets) socket.destroy();
    server.sessions.endAll();
    server.cursors.killWhere(() => true);
    await closed;
    await disk?.close();
  }

  /** What could not be kept must not be believed: nothing is served any more. */
  function fail(error: unknown): void {
    process.emitWarning(`EmbeddedMongo stops: the data directory cannot be written (${String(error)})`);
    for (const socket of sockets) socket.destroy();
    listener.close();
  }

  const stop = (): Promise<void> => (stopped ??= close());
  return { uri: `mongodb://${server.address}/?replicaSet=${SET_NAME}`, stop };
}
