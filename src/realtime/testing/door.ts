import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection } from 'mongoose';
import { testDatabase } from '../../../test/support/database';
import { systemClock } from '../../core/clock';
import { systemIds } from '../../core/ids';
import { createLogger } from '../../core/logger';
import type { Identity } from '../../http/route';
import { createRealtime, type Realtime } from '../server';

/** The sockets of a server, with nothing behind them but what a test says. */
export interface Door {
  realtime: Realtime;
  http: HttpServer;
  url: string;
  /** By default everybody is Ann. */
  authenticate: (token: string) => Promise<Identity>;
  /** Runs whenever a snapshot is read. */
  whileRead: () => Promise<void>;
}

export const ANN: Identity = { userId: 'a'.repeat(24), username: 'ann', role: 'player', sessionId: 'b'.repeat(24) };

/** Of one address, at a time. */
export const WITHOUT_TOKEN = 64;

/** A new one for each test of the file, gone after it. */
export function doorForTests(): Door {
  const door = {} as Door;
  let connection: Connection;
  beforeAll(async () => {
    connection = await testDatabase();
  });
  beforeEach(async () => {
    const realtime = createRealtime({
      connection,
      config: {
        host: '127.0.0.1',
        port: 0,
        publicUrl: undefined,
        corsOrigins: [],
        trustProxyHops: 1,
        rateLimits: true,
        rateLimitChanges: [],
        docs: false,
        withoutToken: WITHOUT_TOKEN,
      },
      clock: systemClock,
      ids: systemIds,
      logger: createLogger({ level: 'silent', pretty: false }),
    });
    realtime.serve({
      events: [],
      authenticate: (token) => door.authenticate(token),
      overOf: () => Promise.resolve(new Set()),
      snapshots: async () => {
        await door.whileRead();
        return () => ({ ticket: null, match: null, lobbies: [], unread: 0 });
      },
      visibleTo: (_userId, userIds) => Promise.resolve(new Set(userIds)),
    });
    const http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    realtime.attach(http);
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    Object.assign(door, {
      realtime,
      http,
      url,
      authenticate: () => Promise.resolve(ANN),
      whileRead: () => Promise.resolve(),
    } satisfies Door);
  });
  afterEach(async () => {
    await door.realtime.stop();
    door.http.close();
    await connection.collection('feeds').deleteMany({});
    connection.deleteModel(/^(Feed|Revocation)$/); // each server brings its own
  });
  return door;
}
