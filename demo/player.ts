import { io, type Socket } from 'socket.io-client';
import type { Teams } from './ledger';
import type { Answer, Rest } from './rest';

/** A simulated player: an account, a connection, and a memory of everything that was heard on it. */
export interface Player {
  readonly username: string;
  readonly userId: string;
  /** One request, waiting where the server says so. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  /** As `call`, and again where an instance was lost over it: see `Rest.insist`. */
  insist(method: string, path: string, body?: unknown): ReturnType<Rest['insist']>;
  /** Sends an event and resolves with its acknowledgement. */
  send(event: string, payload: object): Promise<Acknowledgement>;
  /** Connects (again) and resolves with the snapshot that the server greets with. */
  connect(): Promise<Snapshot>;
  /** Drops the connection without a word. */
  drop(): void;
  /** Gives up a connection over which no answer comes: it counts as lost. */
  cut(): void;
  /** Everything heard from now on. */
  onEvent(listener: (heard: Heard) => void): void;
  /** Told whenever a connection that was greeted is lost, unless this player dropped it. */
  onLost(listener: () => void): void;
}

export interface Heard {
  name: string;
  // what a server says is untyped until it is looked at
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  payload: any;
}

export interface Acknowledgement {
  ok: boolean;
  data?: unknown;
  error?: { code: string; message: string };
}

export interface Snapshot {
  ticket: { id: string; state: string } | null;
  match: { id: string; state: string; lobbyId: string | null; teams: Teams } | null;
  lobbies: { id: string }[];
  seq: number;
}

const PATIENCE_MS = 20_000;

/** Registers a new account. @throws with what the server said */
export async function registerPlayer(rest: Rest, url: string, username: string): Promise<Player> {
  const account = { username, email: `${username}@demo.example`, password: `${username}!over-the-hill` };
  const registered = await rest.insist({ method: 'POST', path: '/api/auth/register', body: account });
  const signedIn = ({ body }: Answer): Player =>
    playerOf(rest, url, { username, userId: body.user.id, token: body.accessToken });
  if (registered.status === 201) return signedIn(registered);
  if (registered.status !== 409 || !registered.repeated)
    throw new Error(`registering ${username}: ${wordsOf(registered)}`);
  // the first try was done, and its answer lost
  const credentials = { identifier: username, password: account.password };
  const login = await rest.insist({ method: 'POST', path: '/api/auth/login', body: credentials });
  if (login.status !== 200) throw new Error(`logging ${username} in: ${wordsOf(login)}`);
  return signedIn(login);
}

/** The player of an account that is signed in. */
export function playerOf(
  rest: Rest,
  url: string,
  account: { username: string; userId: string; token: string },
): Player {
  const { username, userId, token } = account;
  const listeners: ((heard: Heard) => void)[] = [];
  const lost: (() => void)[] = [];
  let socket: Socket | undefined;
  let dropped = false;
  /** Ends an attempt to connect that goes on. */
  let giveUp = (): void => undefined;

  return {
    username,
    userId,
    call: (method, path, body) => rest.patient({ method, path, token, body }),
    insist: (method, path, body) => rest.insist({ method, path, token, body }),
    send: (event, payload) => {
      if (!socket) throw new Error(`${username} is not connected`);
      return socket.timeout(PATIENCE_MS).emitWithAck(event, payload) as Promise<Acknowledgement>;
    },
    connect() {
      const mine = io(url, { auth: { token }, transports: ['websocket'], forceNew: true, reconnection: false });
      socket = mine;
      dropped = false;
      mine.onAny((name: string, payload: unknown) => {
        if (socket === mine) for (const listener of listeners) listener({ name, payload });
      });
      return new Promise((resolve, reject) => {
        // one that was given up may not come to life later
        const fail = (why: string) => {
          clearTimeout(late);
          mine.disconnect();
          reject(new Error(`${username} ${why}`));
        };
        const late = setTimeout(() => fail(`was not greeted within ${PATIENCE_MS} ms`), PATIENCE_MS);
        giveUp = () => fail('has dropped the connection');
        mine.once('connect_error', (error) => fail(`could not connect: ${error.message}`));
        mine.once('disconnect', () => fail('was cut off before being greeted'));
        mine.once('connected', (snapshot: Snapshot) => {
          clearTimeout(late);
          mine.off('disconnect');
          mine.once('disconnect', () => {
            if (!dropped) lost.forEach((listener) => listener());
          });
          resolve(snapshot);
        });
      });
    },
    cut: () => void socket?.disconnect(),
    drop() {
      dropped = true;
      socket?.disconnect();
      socket?.removeAllListeners();
      giveUp();
    },
    onEvent: (listener) => void listeners.push(listener),
    onLost: (listener) => void lost.push(listener),
  };
}

/** What an answer says, for people. */
export const wordsOf = ({ status, body }: Answer): string =>
  `${status}${body?.code ? ` ${String(body.code)}` : ''}${body?.detail ? `: ${String(body.detail)}` : ''}`;
