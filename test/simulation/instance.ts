import type { Connection } from 'mongoose';
import { createEventBus } from '../../src/core/event-bus';
import type { Ids } from '../../src/core/ids';
import { createLogger } from '../../src/core/logger';
import type { Loop } from '../../src/core/loop';
import { createLeaseModels, createLeases, type Leases } from '../../src/database/leases';
import { createOutbox, type Outbox } from '../../src/database/outbox';
import { createTransact } from '../../src/database/transaction';
import type { GameMode } from '../../src/modules/games';
import { ruleSetSchema } from '../../src/modules/games/rule-set';
import { createLobbiesModule } from '../../src/modules/lobbies';
import { createMatchmakingModule } from '../../src/modules/matchmaking';
import { leaseOf } from '../../src/modules/matchmaking/leadership';
import { poolKey } from '../../src/modules/matchmaking/matchmaking.policy';
import { createUsersModule } from '../../src/modules/users';
import { createFeed, type Feed } from '../../src/realtime/feed';
import type { Realtime } from '../../src/realtime/server';
import { createMetrics } from '../../src/observability/metrics';
import type { DomainEvents } from '../../src/server';
import { MODES } from '../properties/promises';
import type { Gate, Process } from './gate';

/** One life of an instance: what `src/server.ts` puts together, without HTTP and sockets, which are the players' here. */
export interface Instance extends Process {
  readonly id: string;
  readonly loops: ReadonlyMap<LoopName, Loop>;
  frozen: boolean;
  start(): Promise<void>;
  /** A request of a player's, as a route answers it. @throws what it refuses */
  ask<Answer>(userId: string, method: string, path: string, input?: Partial<Input>): Promise<Answer>;
}

export type LoopName = 'matchmaking' | 'outbox' | 'leases';

interface Input {
  params: Record<string, string>;
  body: object;
}

/** What sits where in the module's wiring, for a test that plants a bug. */
export interface Wiring {
  leases: Leases;
  outbox: Outbox<DomainEvents>;
}

export interface Surroundings {
  gate: Gate;
  ids: Ids;
  gameId: string;
  /** Hands an event to the sockets of a player. */
  send: (from: Instance, userId: string, name: string, body: Record<string, unknown>) => void;
  rewire: (wiring: Wiring) => Wiring;
}

export const LEASE_TTL_MS = 1_000;
const logger = createLogger({ level: 'silent', pretty: false });
const ruleSets = Object.fromEntries(Object.entries(MODES).map(([key, rules]) => [key, ruleSetSchema.parse(rules)]));

/** @param skewMs by how much its clock is wrong: as much as a sample of the database's time can be */
export function createInstance(name: string, skewMs: number, around: Surroundings): Instance {
  const { gate, ids, gameId } = around;
  const connection = compiledOnce(gate.connection);
  const clock = { now: () => Date.now() + skewMs };
  const bus = createEventBus<DomainEvents>();
  const transact = createTransact(connection);
  const id = ids.uuid();
  const pools = Object.keys(MODES).map((key) => leaseOf(poolKey(gameId, key)));
  const { leases, outbox } = around.rewire({
    outbox: createOutbox<DomainEvents>({ connection, bus, clock, ids, logger }),
    leases: createLeases({
      models: createLeaseModels(connection),
      transact,
      logger,
      instanceId: id,
      names: [...new Set(pools)],
      ttlMs: LEASE_TTL_MS,
      monotonic: () => performance.now(),
    }),
  });
  const feed = createFeed(connection, (userId, event, body) => {
    if (!instance.dead) around.send(instance, userId, event, body as Record<string, unknown>);
  });
  const tell: Feed['tell'] = async (eventId, userIds, event, payload) => {
    await gate.pause(`tell ${event}`);
    await feed.tell(eventId, userIds, event, payload);
    // here a subscriber may fail that has done its work: the fact is told again
    await gate.pause(`told ${event}`);
  };
  const realtime = {
    feed: { ...feed, tell },
    signal: () => undefined,
    join: () => undefined,
    leave: () => undefined,
  } as unknown as Realtime;
  const games = {
    mode: async (_: string, key: string) => modeOf(gameId, key),
    known: async (known: readonly string[]) => new Set(known),
    seedCatalogue: async () => 0,
  };
  const metrics = createMetrics();
  const shared = { connection, transact, bus, outbox, realtime, clock, ids, logger, metrics, games };
  const users = createUsersModule(shared);
  const lobbies = createLobbiesModule({ ...shared, config: { idleMinutes: 30 }, users: users.api });
  const matchmaking = createMatchmakingModule({
    ...shared,
    leases,
    config: { tickMs: 1000, catchUpMs: 1000, record: undefined },
    recording: null,
    users: users.api,
    lobbies: lobbies.api,
  });
  const routes = [...users.routes, ...lobbies.routes, ...matchmaking.routes];
  const loops: [LoopName, Loop][] = [
    ['matchmaking', matchmaking.loops[0] as Loop],
    ['outbox', outbox.relay],
    ['leases', leases.loops[0] as Loop],
  ];
  const instance: Instance = {
    name,
    id,
    dead: false,
    frozen: false,
    loops: new Map(loops),
    async start() {
      await matchmaking.api.restore();
      await leases.start();
    },
    ask(userId, method, path, { params = {}, body = {} } = {}) {
      const route = routes.find((each) => each.method === method && each.path === path);
      if (!route) throw new Error(`there is no ${method} ${path}`);
      return route.handler({
        params,
        query: route.query?.parse({}),
        body: route.body?.parse(body),
        player: { userId, username: userId, role: 'player', sessionId: userId },
        ip: '',
        userAgent: '',
        requestId: '',
      }) as Promise<never>;
    },
  };
  return instance;
}

const modeOf = (gameId: string, key: string): GameMode => ({
  gameId,
  gameName: 'Game',
  gameSlug: 'game',
  key,
  name: key,
  ruleSet: ruleSets[key] as GameMode['ruleSet'],
  version: 1,
});

/** Models hold no state: all instances of all runs share those that were compiled first. */
function compiledOnce(connection: Connection): Connection {
  return new Proxy(connection, {
    get(target, property) {
      if (property !== 'model') return Reflect.get(target, property, target) as unknown;
      return (name: string, schema: never) => target.models[name] ?? target.model(name, schema);
    },
  });
}
