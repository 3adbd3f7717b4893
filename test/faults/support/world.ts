import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mongoose, { type Connection } from 'mongoose';
import { freePort } from '../../../scripts/cluster/child';
import { createMember, type Member } from '../../../scripts/cluster/member';
import { startProxy, type Proxy } from '../../../scripts/cluster/proxy';
import { isOnPath, startDatabase, startRedis, type Service } from '../../../scripts/cluster/services';
import { createReleasers } from '../../../src/core/releasers';
import type { RuleSetInput } from '../../../src/modules/games/rule-set';
import { registerPlayer } from '../../support/client';
import { PACE } from './chance';
import { startDatabaseProxy, type DatabaseProxy, type Trap } from './database-proxy';

/** Real processes: servers, each behind a proxy of its own to the database, the database, Redis, and a load balancer in front. */
export interface World {
  readonly url: string;
  readonly balancer: Proxy;
  readonly members: readonly (Member & { database: DatabaseProxy })[];
  /** A look past the servers; not to be used while the database is away. */
  readonly connection: Connection;
  readonly redis: RedisPlace;
  /** Adds a game with one mode, `duel`. @returns its id */
  addGame(rules?: RuleSetInput): Promise<string>;
  readonly directory: string;
  /** Lines that the servers wrote, with the name of who wrote them. */
  readonly log: readonly string[];
  /** Kills whichever instance is the first to come to this command for the n-th time; resolves when it is dead. */
  killAt(point: Omit<Trap, 'act'>): Promise<Member>;
  /** Resolves when some instance sends the database such a command, and does nothing to it. */
  passing(command: string): Promise<unknown>;
  /** Ends the database like a power cut, and starts it again on the same data. */
  restartDatabase(awayMs?: number): Promise<void>;
  signalDatabase(signal: NodeJS.Signals): void;
  readonly databasePid: number;
  stop(): Promise<void>;
}

/** Where Redis is, or will be. */
export interface RedisPlace {
  /** Empty where there is none. */
  readonly uri: string;
  start(): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  kill(): Promise<void>;
}

export const TTL_MS = 1000 * PACE;
/** What a killed server leaves locked is free after this: as long as a lease, like the defaults of both. */
export const TRANSACTION_MS = TTL_MS;
export const REDIS_IS_HERE = isOnPath('redis-server');
export const DUEL: RuleSetInput = { teams: { count: 2, size: { min: 1, max: 1 } } };

export interface WorldOptions {
  /** `later`: it does not run when the servers start. */
  redis?: 'none' | 'now' | 'later';
  /** Settings of one instance, besides those of all. */
  settingsOf?: (index: number) => Record<string, string>;
}

export async function startWorld(
  instances: number,
  { redis = 'now', settingsOf = () => ({}) }: WorldOptions = {},
): Promise<World> {
  const releasers = createReleasers(() => undefined);
  try {
    return await assemble();
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }

  async function assemble(): Promise<World> {
    const directory = mkdtempSync(join(tmpdir(), 'maoga-faults-'));
    releasers.push('directory', () => rmSync(directory, { recursive: true, force: true }));
    const data = { directory: join(directory, 'database'), transactionSeconds: TRANSACTION_MS / 1000 };
    let database = await startDatabase(data);
    releasers.push('database', () => database.child.stop());
    const place = redis === 'none' || !REDIS_IS_HERE ? undefined : await placeRedis(redis === 'now');
    releasers.push('redis', () => place?.kill());

    const log: string[] = [];
    const settings = (databaseUri: string) => ({
      PATH: process.env['PATH'],
      NODE_ENV: 'test',
      DATA_DIR: directory,
      MONGODB_URI: databaseUri,
      REDIS_URL: place?.uri ?? '',
      TRUST_PROXY_HOPS: '1',
      RATE_LIMITS: 'false',
      BCRYPT_COST: '4',
      DOCS: 'false',
      SEED_ON_START: 'false',
      // players stay for as long as a run takes
      ACCESS_TOKEN_SECONDS: '86400',
      LOG_LEVEL: 'warn',
      MATCHMAKING_TICK_MS: '100',
      LEASE_TTL_MS: String(TTL_MS),
    });
    const members: World['members'] = await Promise.all(
      Array.from({ length: instances }, async (_, i) => {
        const own = await startDatabaseProxy(database.port);
        releasers.push(`database proxy ${i}`, () => own.close());
        const member = createMember(String(i + 1), await freePort(), {
          env: { ...settings(own.uri), ...settingsOf(i) },
          onLine: (who, line) => void log.push(`[${who}] ${line}`),
          onExit: () => undefined,
        });
        return Object.assign(member, { database: own });
      }),
    );
    const balancer = await startProxy(0, members);
    releasers.push('balancer', () => balancer.close());
    releasers.push('members', () => Promise.all(members.map((member) => member.stop())));
    await Promise.all(members.map((member) => member.start()));
    await balancer.look();
    const connection = await mongoose
      .createConnection(`mongodb://127.0.0.1:${database.port}/maoga?directConnection=true`)
      .asPromise();
    releasers.push('connection', () => connection.close());

    return {
      url: balancer.url,
      balancer,
      members,
      connection,
      redis: place ?? NO_REDIS,
      addGame: (rules = DUEL) => addGame(balancer.url, connection, rules),
      directory,
      log,
      async killAt(point) {
        const victim = await firstTrapped(members, point, (member) => member.signal('SIGKILL'));
        await victim.instance?.child.exited;
        return victim;
      },
      passing: (command) => firstTrapped(members, { command, nth: 1, when: 'passing' }, () => undefined),
      async restartDatabase(awayMs = 0) {
        database.child.signal('SIGKILL');
        await database.child.exited;
        await new Promise((resolve) => setTimeout(resolve, awayMs));
        database = await startDatabase({ ...data, port: database.port });
      },
      signalDatabase: (signal) => database.child.signal(signal),
      get databasePid() {
        return database.child.pid;
      },
      stop: () => releasers.releaseAll(),
    };
  }
}

const SPRINGS_WITHIN_MS = 15_000 * PACE;

function firstTrapped(
  members: World['members'],
  point: Omit<Trap, 'act'>,
  act: (member: Member) => unknown,
): Promise<Member> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => settle(() => reject(new Error(`nobody came to ${point.command}`))),
      SPRINGS_WITHIN_MS,
    );
    const settle = (how: () => void) => {
      clearTimeout(late);
      for (const { database } of members) database.disarm();
      how();
    };
    for (const member of members)
      void member.database.trap({ ...point, act: () => void act(member) }).then(() => settle(() => resolve(member)));
  });
}

const NO_REDIS: RedisPlace = {
  uri: '',
  start: async () => undefined,
  signal: () => undefined,
  kill: async () => undefined,
};

async function placeRedis(now: boolean): Promise<RedisPlace> {
  const port = await freePort();
  let running: Service | undefined;
  const place = {
    uri: `redis://127.0.0.1:${port}`,
    async start() {
      running = await startRedis(port);
    },
    signal: (signal: NodeJS.Signals) => running?.child.signal(signal),
    async kill() {
      running?.child.signal('SIGKILL');
      await running?.child.exited;
    },
  };
  if (now) await place.start();
  return place;
}

let games = 0;

/** A game, as an administrator adds one. */
async function addGame(url: string, connection: Connection, ruleSet: RuleSetInput): Promise<string> {
  const admin = await registerPlayer({ url });
  const me = { _id: new mongoose.Types.ObjectId(admin.userId) };
  await connection.collection('users').updateOne(me, { $set: { role: 'admin' } });
  const created = await admin.post('/api/games', {
    slug: `duels-${(games += 1)}`,
    name: 'Duels',
    genres: ['test'],
    platforms: ['pc'],
    players: { min: 2, max: 4 },
    modes: [{ key: 'duel', name: 'Duel', ruleSet }],
  });
  if (created.status !== 201) throw new Error(`the game was not added: ${JSON.stringify(created.body)}`);
  return created.body.id;
}
