import { randomBytes } from 'node:crypto';
import { io, type Socket } from 'socket.io-client';
import type { MaogaServer } from '../../src/server';

/** An app client as a player's phone would be: REST by fetch, Socket.IO for events. */
export interface Answer {
  status: number;
  headers: Headers;
  // tests read untyped JSON
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
}

export type Server = Pick<MaogaServer, 'url'>;

export async function request(
  server: Server,
  method: string,
  path: string,
  options: { token?: string; body?: unknown; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { token, body, headers = {} } = options;
  const response = await fetch(server.url + path, {
    method,
    headers: {
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  const json = /json/.test(response.headers.get('content-type') ?? '');
  return { status: response.status, headers: response.headers, body: json && text !== '' ? JSON.parse(text) : text };
}

export interface Player {
  userId: string;
  username: string;
  email: string;
  password: string;
  accessToken: string;
  refreshToken: string;
  get(path: string): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
  patch(path: string, body?: unknown): Promise<Answer>;
  delete(path: string, body?: unknown): Promise<Answer>;
  /** Connects, and resolves with the socket when `connected` has arrived. */
  connect(): Promise<PlayerSocket>;
}

export async function registerPlayer(
  server: Server,
  username = `p_${randomBytes(6).toString('hex')}`,
): Promise<Player> {
  const email = `${username}@example.test`;
  const password = `pw-${randomBytes(9).toString('hex')}`;
  const { status, body } = await request(server, 'POST', '/api/auth/register', { body: { email, username, password } });
  if (status !== 201) throw new Error(`register answered ${status}: ${JSON.stringify(body)}`);
  return playerOf(server, {
    email,
    password,
    username,
    userId: body.user.id,
    accessToken: body.accessToken,
    refreshToken: body.refreshToken,
  });
}

export function playerOf(
  server: Server,
  account: Pick<Player, 'userId' | 'username' | 'email' | 'password' | 'accessToken' | 'refreshToken'>,
): Player {
  const token = account.accessToken;
  const call = (method: string) => (path: string, body?: unknown, headers?: Record<string, string>) =>
    request(server, method, path, { token, body, ...(headers ? { headers } : {}) });
  return {
    ...account,
    get: (path) => call('GET')(path),
    post: call('POST'),
    put: call('PUT'),
    patch: call('PATCH'),
    delete: call('DELETE'),
    connect: () => connectSocket(server, token),
  };
}

export interface PlayerSocket {
  socket: Socket;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  snapshot: any;
  /** Everything heard so far, in order. */
  heard: { name: string; payload: any }[]; // eslint-disable-line @typescript-eslint/no-explicit-any
  /** The next event of this name that fits and was not taken yet, whether it has arrived already or not. */
  next: (name: string, fits?: (payload: any) => boolean, timeoutMs?: number) => Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  /** Sends with an acknowledgement. */
  send: (name: string, payload: unknown) => Promise<any>; // eslint-disable-line @typescript-eslint/no-explicit-any
  close: () => void;
}

/** How the connection ended, in Socket.IO's words, once it has. */
export const ended = ({ socket }: PlayerSocket): Promise<string> =>
  new Promise((resolve) => (socket.connected ? socket.once('disconnect', resolve) : resolve('already')));

const open: Socket[] = [];

export async function connectSocket(server: Server, token: string): Promise<PlayerSocket> {
  const socket = io(server.url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false });
  open.push(socket);
  const heard: PlayerSocket['heard'] = [];
  const taken = new Set<object>();
  const waiting = new Set<() => void>();
  const timers = new Set<NodeJS.Timeout>();
  socket.onAny((name: string, payload: unknown) => {
    heard.push({ name, payload });
    for (const check of waiting) check();
  });

  const next: PlayerSocket['next'] = (name, fits = () => true, timeoutMs = 8000) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        timers.delete(timer);
        waiting.delete(check);
        reject(new Error(`no ${name} within ${timeoutMs} ms; heard: ${heard.map((event) => event.name).join(', ')}`));
      }, timeoutMs);
      const check = () => {
        const found = heard.find((event) => event.name === name && !taken.has(event) && fits(event.payload));
        if (!found) return;
        taken.add(found);
        clearTimeout(timer);
        timers.delete(timer);
        waiting.delete(check);
        resolve(found.payload);
      };
      timers.add(timer);
      waiting.add(check);
      check();
    });

  const refused = new Promise<never>((_resolve, reject) =>
    socket.once('connect_error', (error) => {
      for (const timer of timers) clearTimeout(timer);
      reject(error);
    }),
  );
  const snapshot = await Promise.race([next('connected'), refused]);
  return {
    socket,
    snapshot,
    heard,
    next,
    send: (name, payload) => socket.timeout(8000).emitWithAck(name, payload),
    close: () => void socket.disconnect(),
  };
}

afterAll(() => {
  for (const socket of open.splice(0)) socket.disconnect();
});
