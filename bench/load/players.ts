import { MongoClient, ObjectId, type Db, type Document, type WithId } from 'mongodb';
import { WebSocket } from 'ws';
import { inParallel } from '../../demo/in-parallel';
import type { Rest } from '../../demo/rest';

/** Somebody with an account, who listens on a socket for what becomes of their search. */
export interface Player {
  token: string;
  /** Told of each match by its id. */
  onMatched: (matchId: string) => void;
  drop(): void;
}

export interface PlayersOptions {
  /** Of the servers: player i is connected to server i, and around. */
  urls: readonly string[];
  databaseUri: string;
  rest: Rest;
  count: number;
  /** An access token for the session. */
  issue: (claims: { userId: string; sessionId: string }) => string;
}

const INSERT_AT_ONCE = 1000;
const CONNECT_AT_ONCE = 64;
const PATIENCE_MS = 30_000;

/**
 * The first one registers, the others are copies of that account in the database: hashing passwords is not what is measured.
 * Each is connected and has been greeted.
 */
export async function makePlayers(options: PlayersOptions): Promise<Player[]> {
  const { urls, count, issue } = options;
  const accounts = await makeAccounts(options);
  const players: Player[] = new Array<Player>(count);
  await inParallel(accounts, CONNECT_AT_ONCE, async (account, i) => {
    players[i] = await connectPlayer(urls[i % urls.length] ?? '', issue(account));
  });
  return players;
}

async function makeAccounts({ databaseUri, rest, count }: PlayersOptions) {
  const name = `load_${Date.now().toString(36)}`;
  const body = { username: name, email: `${name}@load.example`, password: `${name}!over-the-hill` };
  const registered = await rest.patient({ method: 'POST', path: '/api/auth/register', body });
  if (registered.status !== 201) throw new Error(`registering: ${registered.status}`);
  const client = await MongoClient.connect(databaseUri);
  try {
    return await copies(client.db(), new ObjectId(String(registered.body.user.id)), name, count);
  } finally {
    await client.close();
  }
}

async function copies(db: Db, userId: ObjectId, name: string, count: number) {
  const [user, session] = await Promise.all([
    db.collection('users').findOne({ _id: userId }),
    db.collection('sessions').findOne({ userId }),
  ]);
  if (!user || !session) throw new Error('the account that was registered is not in the database');
  const accounts = Array.from({ length: count }, (_, i) => copyOf(user, session, `${name}_${i}`));
  for (let from = 0; from < count; from += INSERT_AT_ONCE) {
    const some = accounts.slice(from, from + INSERT_AT_ONCE);
    await db.collection('users').insertMany(some.map((account) => account.user));
    await db.collection('sessions').insertMany(some.map((account) => account.session));
  }
  return accounts.map((account) => ({
    userId: account.user._id.toHexString(),
    sessionId: account.session._id.toHexString(),
  }));
}

function copyOf(user: WithId<Document>, session: WithId<Document>, username: string) {
  const names = { username, displayName: username, sortName: username, searchKeys: [username] };
  const copy = { ...user, ...names, _id: new ObjectId(), email: `${username}@load.example` };
  return { user: copy, session: { ...session, _id: new ObjectId(), userId: copy._id } };
}

/** Engine.IO and Socket.IO in their own words: a full client of each costs more than the server that it asks. */
const PING = '2';
const PONG = '3';
const OPENED = '0';
const CONNECT = '40';
const GREETED = '42["connected",';
const MATCHED = '42["matchmaking:matched",';

function connectPlayer(url: string, token: string): Promise<Player> {
  const address = `${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`;
  const socket = new WebSocket(address, { perMessageDeflate: false, skipUTF8Validation: true });
  const player: Player = { token, onMatched: () => undefined, drop: () => socket.terminate() };
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`not greeted within ${PATIENCE_MS} ms`)), PATIENCE_MS);
    const fail = (why: string) => {
      clearTimeout(late);
      reject(new Error(why));
    };
    const greeted = () => {
      clearTimeout(late);
      resolve(player);
    };
    socket.on('error', (error) => fail(error.message)).on('close', () => fail('cut off before being greeted'));
    socket.on('message', (data: Buffer) => {
      const begins = data.toString('latin1', 0, MATCHED.length);
      if (begins === MATCHED) player.onMatched(matchIdIn(data));
      else if (begins === PING) socket.send(PONG);
      else if (begins.startsWith(OPENED)) socket.send(`${CONNECT}${JSON.stringify({ token })}`);
      else if (begins.startsWith(GREETED)) greeted();
    });
  });
}

const matchIdIn = (data: Buffer): string => String(JSON.parse(data.toString('utf8', 2))[1].matchId);
