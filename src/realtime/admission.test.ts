import { io, type ManagerOptions, type Socket } from 'socket.io-client';
import { AppError } from '../core/errors';
import { CONNECTING, MAX_SOCKETS } from './admission';
import { ANN, doorForTests } from './testing/door';

const sessionOver = () => new AppError('UNAUTHENTICATED', 'The session is over: log in again.');

describe('at the door', () => {
  const clients: Socket[] = [];
  // before the server stops, which waits for those who are there
  afterEach(() => clients.splice(0).forEach((client) => client.disconnect()));
  const door = doorForTests();

  function connect(ip = '192.0.2.1', options: Partial<ManagerOptions> = {}): Socket {
    const socket = io(door.url, {
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
    door.authenticate = async () => {
      if (asked++ > 0) throw sessionOver();
      // who waits for the answer goes on after this, so that no room holds the socket yet
      door.realtime.endSession(ANN.sessionId, 'logged out everywhere');
      return ANN;
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
    door.authenticate = async () => {
      if (asked++ > 0) throw sessionOver();
      door.realtime.endSession('c'.repeat(24), 'logged out');
      return { ...ANN, sessionId: 'c'.repeat(24) };
    };
    expect(await socket.emitWithAck('auth:refresh', { token: 'the next' })).toMatchObject({
      error: { code: 'UNAUTHENTICATED' },
    });
    // it stays what it was: a socket of its first session, and ends with that
    const end = heard(socket, 'disconnect');
    door.realtime.endSession(ANN.sessionId, 'logged out');
    expect(await end).toBe('io server disconnect');
  });

  test('what a socket is told while its snapshot is read is in the snapshot', async () => {
    let reads = 0;
    door.whileRead = async () => {
      if (reads++ < 2)
        await door.realtime.feed.tell(`e${reads}`, [ANN.userId], 'notification:count', { unread: reads });
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
    door.whileRead = () => door.realtime.feed.tell('e', [ANN.userId], 'notification:count', { unread: 1 });
    const { seq } = await heard<{ seq: number }>(connect(), 'connected');
    expect(seq).toBeGreaterThan(0);
  });

  test.each([
    ['the database is away', () => Object.assign(new Error('no answer'), { name: 'MongoNetworkError' })],
    ['something unforeseen happens', () => new Error('a fault of ours')],
  ])('when %s a client comes back by itself', async (_what, fault) => {
    let asked = 0;
    door.authenticate = () => (asked++ === 0 ? Promise.reject(fault()) : Promise.resolve(ANN));
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
    door.authenticate = () => Promise.resolve({ ...ANN, userId: 'd'.repeat(24) });
    expect(await outcome(connect())).toBe('in');
  });

  test('a player has a bounded number of connections open, also if all of them come at once', async () => {
    const many = Array.from({ length: MAX_SOCKETS + 2 }, () => connect());
    const outcomes = await Promise.all(many.map(outcome));
    expect(outcomes.filter((each) => each === 'in')).toHaveLength(MAX_SOCKETS);
    expect(outcomes.filter((each) => each === 'RATE_LIMITED')).toHaveLength(2);
  });

  test('whoever was refused may ask again over the same connection', async () => {
    door.authenticate = (token) => (token === 'a token' ? Promise.reject(sessionOver()) : Promise.resolve(ANN));
    const socket = connect();
    expect(await outcome(socket)).toBe('UNAUTHENTICATED');
    socket.auth = { token: 'a better one' };
    expect(await outcome(socket.connect())).toBe('in');
  });

  test('an address that keeps coming with bad tokens is told so; good tokens get in from there', async () => {
    door.authenticate = () => Promise.reject(sessionOver());
    const { max } = CONNECTING.refusedFromOneAddress;
    const codes: string[] = [];
    for (let i = 0; i < max; i += 40)
      codes.push(...(await Promise.all(Array.from({ length: 40 }, () => outcome(connect('198.51.100.7'))))));
    expect(new Set(codes)).toEqual(new Set(['UNAUTHENTICATED']));
    expect(await outcome(connect('198.51.100.7'))).toBe('RATE_LIMITED');
    expect(await outcome(connect('198.51.100.8'))).toBe('UNAUTHENTICATED');
    door.authenticate = () => Promise.resolve(ANN);
    expect(await outcome(connect('198.51.100.7'))).toBe('in');
  });
});
