import { once } from 'node:events';
import { createServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Connection } from 'mongoose';
import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { testDatabase } from '../../test/support/database';
import { systemClock } from '../core/clock';
import { AppError } from '../core/errors';
import { systemIds } from '../core/ids';
import { createLogger } from '../core/logger';
import type { Identity } from '../http/route';
import { CONNECTING, MAX_SOCKETS } from './admission';
import { createRealtime, type Realtime } from './server';

const ID = 'a'.repeat(24);
const identity: Identity = { userId: ID, username: 'ann', role: 'player', sessionId: 'b'.repeat(24) };
const sessionOver = () => new AppError('UNAUTHENTICATED', 'The session is over: log in again.');

describe('at the door', () => {
  let realtime: Realtime;
  let http: HttpServer;
  let authenticate: (token: string) => Promise<Identity>;
  let whileRead: () => Promise<void>;
  const clients: Socket[] = [];

  let connection: Connection;
  beforeAll(async () => {
    connection = await testDatabase();
  });

  beforeEach(async () => {
    authenticate = () => Promise.resolve(identity);
    whileRead = () => Promise.resolve();
    realtime = createRealtime({
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
      },
      clock: systemClock,
      ids: systemIds,
      logger: createLogger({ level: 'silent', pretty: false }),
    });
    realtime.serve({
      events: [],
      authenticate: (token) => authenticate(token),
      snapshots: async () => {
        await whileRead();
        return () => ({ ticket: null, match: null, lobbies: [], unread: 0 });
      },
      visibleTo: (_userId, userIds) => Promise.resolve(new Set(userIds)),
    });
    http = createServer().listen(0, '127.0.0.1');
    await once(http, 'listening');
    realtime.attach(http);
  });

  afterEach(async () => {
    for (const client of clients.splice(0)) client.disconnect();
    await realtime.stop();
    http.close();
    await connection.collection('feeds').deleteMany({});
    connection.deleteModel(/^(Feed|Revocation)$/); // each server brings its own
  });

  function connect(ip = '192.0.2.1', options: Partial<ManagerOptions> = {}): Socket {
    const socket = io(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, {
      auth: { token: 'a token' },
      transports: ['websocket'],
      forceNew: true,
      reconnection: false,
      extraHeaders: { 'x-forwarded-for': ip },
      ...options,
    });
    clients.push(socket);
    return socket;
  }

  const heard = <Value>(socket: Socket, name: string) =>
    new Promise<Value>((resolve) => socket.once(name, (value: Value) => resolve(value)));
  /** `in`, or the code of the refusal. */
  const outcome = (socket: Socket) =>
    Promise.race([
      heard(socket, 'connected').then(() => 'in'),
      heard<Error & { data: { code: string } }>(socket, 'connect_error').then((error) => error.data.code),
    ]);

  test('a session that ends between the check of the token and the door does not get in', async () => {
    let asked = 0;
    authenticate = async () => {
      if (asked++ > 0) throw sessionOver();
      // who waits for the answer goes on after this, so that no room holds the socket yet
      realtime.endSession(identity.sessionId, 'logged out everywhere');
      return identity;
    };
    const socket = connect();
    const names: string[] = [];
    socket.onAny((name: string) => names.push(name));
    expect(await heard(socket, 'disconnect')).toBe('io server disconnect');
    expect(names).toEqual(['session:expired']);
  });

  test('a session that ends while a socket changes over to it does not carry the socket on', async () => {
    const socket = connect();
    await heard(socket, 'connected');
    let asked = 0;
    authenticate = async () => {
      if (asked++ > 0) throw sessionOver();
      realtime.endSession('c'.repeat(24), 'logged out');
      return { ...identity, sessionId: 'c'.repeat(24) };
    };
    expect(await socket.emitWithAck('auth:refresh', { token: 'the next' })).toMatchObject({
      error: { code: 'UNAUTHENTICATED' },
    });
    // it stays what it was: a socket of its first session, and ends with that
    const end = heard(socket, 'disconnect');
    realtime.endSession(identity.sessionId, 'logged out');
    expect(await end).toBe('io server disconnect');
  });

  test('what a socket is told while its snapshot is read is in the snapshot', async () => {
    let reads = 0;
    whileRead = async () => {
      if (reads++ < 2) await realtime.feed.tell(`e${reads}`, [ID], 'notification:count', { unread: reads });
    };
    const socket = connect();
    const told: [string, number][] = [];
    socket.onAny((name: string, { seq }: { seq: number }) => told.push([name, seq]));
    await heard(socket, 'connected');
    expect([told, reads]).toEqual([
      [
        ['notification:count', 1],
        ['notification:count', 2],
        ['connected', 2],
      ],
      3,
    ]);
  });

  test('who is told something all the time is greeted all the same', async () => {
    whileRead = () => realtime.feed.tell('e', [ID], 'notification:count', { unread: 1 });
    const { seq } = await heard<{ seq: number }>(connect(), 'connected');
    expect(seq).toBeGreaterThan(0);
  });

  test.each([
    ['the database is away', () => Object.assign(new Error('no answer'), { name: 'MongoNetworkError' })],
    ['something unforeseen happens', () => new Error('a fault of ours')],
  ])('when %s a client comes back by itself', async (_what, fault) => {
    let asked = 0;
    authenticate = () => (asked++ === 0 ? Promise.reject(fault()) : Promise.resolve(identity));
    await heard(connect(undefined, { reconnection: true, reconnectionDelay: 1 }), 'connected');
  });

  test('a player who connects again and again is held up, others are not', async () => {
    const times = CONNECTING.ofOnePlayer.max;
    for (let i = 0; i < times; i++) {
      const socket = connect();
      expect(await outcome(socket)).toBe('in');
      const gone = heard(socket, 'disconnect');
      socket.disconnect();
      await gone;
    }
    expect(await outcome(connect())).toBe('RATE_LIMITED');
    authenticate = () => Promise.resolve({ ...identity, userId: 'd'.repeat(24) });
    expect(await outcome(connect())).toBe('in');
  });

  test('a player has a bounded number of connections open', async () => {
    const many = await Promise.all(Array.from({ length: MAX_SOCKETS }, () => outcome(connect())));
    expect(new Set(many)).toEqual(new Set(['in']));
    expect(await outcome(connect())).toBe('RATE_LIMITED');
  });

  test('an address that keeps coming with bad tokens is told so; good tokens get in from there', async () => {
    authenticate = () => Promise.reject(sessionOver());
    const { max } = CONNECTING.refusedFromOneAddress;
    const codes: string[] = [];
    for (let i = 0; i < max; i += 40)
      codes.push(...(await Promise.all(Array.from({ length: 40 }, () => outcome(connect('198.51.100.7'))))));
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED']));
    expect(await outcome(connect('198.51.100.7'))).toBe('RATE_LIMITED');
    expect(await outcome(connect('198.51.100.8'))).toBe('UNAUTHENTICATED');
    authenticate = () => Promise.resolve(identity);
    expect(await outcome(connect('198.51.100.7'))).toBe('in');
  });
});
