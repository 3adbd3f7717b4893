import { createServer as createHttpServer, type RequestListener, type Server as HttpServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from './config/config';
import type { Clock } from './core/clock';
import { createEventBus } from './core/event-bus';
import { systemIds, type Ids } from './core/ids';
import { createLogger, type Logger } from './core/logger';
import type { Loop } from './core/loop';
import { createReleasers } from './core/releasers';
import { connectDatabase } from './database/connect';
import { createAudit } from './database/audit';
import { createDatabaseClock } from './database/database-clock';
import { measureDatabase } from './database/database-metrics';
import { createLeaseModels, createLeases } from './database/leases';
import { migrateUp } from './database/migrations';
import { CLAIM_MS, createOutbox } from './database/outbox';
import { createTransact } from './database/transaction';
import { createAccountPage } from './http/account-page';
import { createApp } from './http/app';
import { createDocs } from './http/docs';
import { createHealth } from './http/health';
import { createIdempotency } from './http/idempotency';
import { createRateLimits } from './http/rate-limits';
import { measureRequests } from './http/request-metrics';
import type { Route } from './http/route';
import { answerUnreadable } from './http/unreadable';
import { createPostOffice } from './mail/post-office';
import { createAccountsModule } from './modules/accounts';
import { createAuthModule } from './modules/auth';
import { createGamesModule, type GameEvents } from './modules/games';
import { createLobbiesModule, type LobbyEvents } from './modules/lobbies';
import { createMatchmakingModule, openRecording, POOL_LEASES, type MatchmakingEvents } from './modules/matchmaking';
import { createModerationModule } from './modules/moderation';
import { createNotificationsModule } from './modules/notifications';
import { createUsersModule, type UserEvents } from './modules/users';
import { measureExternalCalls } from './observability/external-calls';
import { createMetrics, type MetricNote } from './observability/metrics';
import { openTracing } from './observability/open-telemetry';
import { measureOutboxes, measureServer } from './observability/server-metrics';
import type { ClientEvent } from './realtime/client-event';
import { createRealtime } from './realtime/server';
import { measureSockets } from './realtime/socket-metrics';
import { connectRedis } from './redis/redis';

/** The composition root: one line per module, start and stop in order. Two whole servers can live in one process. */

export type DomainEvents = UserEvents & GameEvents & LobbyEvents & MatchmakingEvents;

/** Time, ids, chance and logs as dependencies; the defaults are the real ones. */
export interface ServerOptions {
  /** By default the database's time, on which all instances agree. */
  clock?: Clock;
  ids?: Ids;
  logger?: Logger;
  /** Loops are armed unless a test wants to call `tick()` itself. */
  runLoops?: boolean;
}

export interface MaogaServer {
  url: string;
  /** What it runs on, for the start-up block. */
  runsOn: { database: string; redis: string; docs: string | undefined; metrics: string | undefined };
  /** By name: `matchmaking`, `outbox`, `lobbies`, … */
  loops: ReadonlyMap<string, Loop>;
  /** Everything a client can ask for: what the documents describe and the authorization tests go through. */
  routes: readonly Route[];
  clientEvents: readonly ClientEvent[];
  metrics: readonly MetricNote[];
  databaseUri: string;
  /** Graceful: not ready, balancer, loops, leases, HTTP, sockets, outbox, database. May be called twice. */
  stop(): Promise<void>;
}

export async function createServer(config: Config, options: ServerOptions = {}): Promise<MaogaServer> {
  const { ids = systemIds, logger = createLogger(config.log), runLoops = true } = options;
  const releasers = createReleasers((name, err) => logger.error({ err, name }, 'could not be released'));
  try {
    return await assemble();
  } catch (error) {
    await releasers.releaseAll();
    throw error;
  }

  async function assemble(): Promise<MaogaServer> {
    const database = await connectDatabase(config.database, logger, {
      monitorCommands: config.metrics.port !== undefined || config.tracing.endpoint !== undefined,
    });
    releasers.push('database', () => database.stop());
    const { connection } = database;
    const metrics = createMetrics();
    measureDatabase(metrics, connection);
    const tracing = await openTracing(config.tracing.endpoint, { environment: config.env, logger });
    releasers.push('tracing', () => tracing.stop());
    tracing.watchDatabase(connection);
    const databaseClock = await createDatabaseClock(connection, logger);
    const clock = options.clock ?? databaseClock;
    if (config.database.migrate) await migrateUp(connection, logger);
    const instanceId = ids.uuid();
    const redis = await connectRedis(config.redis.url, logger, instanceId);
    releasers.push('redis', () => redis.stop());

    const bus = createEventBus<DomainEvents>();
    const meterOf = measureOutboxes(metrics);
    const outbox = createOutbox<DomainEvents>({
      connection,
      bus,
      clock,
      ids,
      logger,
      // whoever is dead to the others by its leases holds no news back either
      claimMs: Math.min(CLAIM_MS, config.leases.ttlMs),
      meter: meterOf('outbox'),
    });
    const transact = createTransact(connection);
    const mail = createPostOffice({
      connection,
      config: config.mail,
      clock,
      ids,
      logger,
      calls: measureExternalCalls(metrics),
      meter: meterOf('mailbox'),
    });
    releasers.push('mail', () => mail.stop());
    const realtime = createRealtime({
      connection,
      config: { ...config.http, ...config.sockets },
      clock,
      ids,
      logger,
      ...redis.fanOut,
      meter: measureSockets(metrics),
      tracing,
    });
    const leases = createLeases({
      ...config.leases,
      models: createLeaseModels(connection),
      transact,
      logger,
      instanceId,
      names: POOL_LEASES,
      alone: database.alone,
    });
    const audit = createAudit({ connection, clock, ids });
    const shared = { connection, transact, bus, outbox, audit, mail, realtime, clock, ids, logger, metrics };

    const games = createGamesModule({ ...shared, instanceId, config: config.catalogue, memory: redis.memory });
    const users = createUsersModule({ ...shared, games: games.api });
    const auth = createAuthModule({ ...shared, ...config.mail, config: config.auth, users: users.api });
    const accounts = createAccountsModule({
      ...shared,
      config: config.accounts,
      users: users.api,
      auth: auth.api,
    });
    const lobbies = createLobbiesModule({ ...shared, config: config.lobbies, users: users.api, games: games.api });
    const { record } = config.matchmaking;
    const recording = record ? openRecording(record, logger) : null;
    releasers.push('recording', () => recording?.stop());
    const matchmaking = createMatchmakingModule({
      ...shared,
      leases,
      config: config.matchmaking,
      recording,
      users: users.api,
      games: games.api,
      lobbies: lobbies.api,
    });
    const notifications = createNotificationsModule({ ...shared, users: users.api });
    const moderation = createModerationModule({
      ...shared,
      users: users.api,
      auth: auth.api,
      lobbies: lobbies.api,
      matchmaking: matchmaking.api,
    });
    const modules = [auth, accounts, users, games, matchmaking, lobbies, notifications, moderation];

    if (config.database.seed) await games.api.seedCatalogue();

    const routes = modules.flatMap((module) => module.routes);
    const clientEvents = modules.flatMap((module) => module.clientEvents);
    const allEvents = [...realtime.ownEvents, ...clientEvents];
    const loops = [
      databaseClock.loop,
      ...leases.loops,
      outbox.relay,
      mail.relay,
      ...realtime.loops,
      ...modules.flatMap((module) => module.loops),
    ];
    measureServer(metrics, { loops, outboxes: { outbox, mailbox: mail }, leases, redis });
    const health = createHealth({ connection, redis, clock });
    const limits = createRateLimits(config.http.rateLimits, redis.createLimitStore, config.http.rateLimitChanges);
    const docs = createDocs({
      ...config.http,
      enabled: config.http.docs,
      routes,
      clientEvents: allEvents,
      limits: limits.limits,
    });
    releasers.push('rate limits', () => limits.stop());
    const app = createApp({
      config: config.http,
      logger,
      ids,
      authenticate: (token) => auth.api.authenticate(token),
      limiters: limits.limiters,
      idempotency: createIdempotency({ connection, clock }),
      routes,
      observe: [...(tracing.requests ? [tracing.requests] : []), measureRequests(metrics)],
      pages: [health.router, docs, createAccountPage()],
    });

    realtime.serve({
      events: clientEvents,
      authenticate: (token) => auth.api.authenticate(token),
      overOf: (players) => auth.api.overOf(players),
      snapshots: async (userIds) => {
        const [searchOf, lobbiesOf, unreadOf] = await Promise.all([
          matchmaking.api.openSearches(userIds),
          lobbies.api.lobbiesOf(userIds),
          notifications.api.unreadOf(userIds),
        ]);
        return (userId) => ({ ...searchOf(userId), lobbies: lobbiesOf(userId), unread: unreadOf(userId) });
      },
      visibleTo: (userId, userIds) => users.api.visibleTo(userId, userIds),
    });

    await matchmaking.api.restore();
    await leases.start();
    // released last-in first-out: not ready -> the balancer looks away -> loops -> leases -> no new requests -> what is known so
    // far is told -> sockets -> the last requests end -> what those announced -> database
    const http = createHttp(app).on('clientError', answerUnreadable(ids));
    realtime.attach(http);
    releasers.push('outbox', () => outbox.relay.tick());
    const port = await listen(http, config.http);
    let closed: Promise<void> | undefined;
    releasers.push('http', () => closed);
    releasers.push('sockets', () => realtime.stop());
    releasers.push('news', () => outbox.relay.tick());
    releasers.push('listener', () => void (closed = close(http)));
    const metricsUrl = await metrics.listen(config.metrics.port, config.http.host);
    releasers.push('metrics', () => metrics.stop());
    // before it says goodbye to anybody: others lead its pools meanwhile
    releasers.push('leases', () => leases.release());
    for (const loop of loops) releasers.push(loop.name, () => loop.stop());
    releasers.push('balancer', () => delay(config.drainSeconds * 1000));
    releasers.push('readiness', () => health.drain());
    if (runLoops) for (const loop of loops) loop.start();

    const url = `http://${config.http.host === '0.0.0.0' ? 'localhost' : config.http.host}:${port}`;
    return {
      url,
      runsOn: {
        database: database.description,
        redis: redis.description,
        docs: config.http.docs ? `${url}/docs` : undefined,
        metrics: metricsUrl,
      },
      loops: new Map(loops.map((loop) => [loop.name, loop])),
      routes,
      clientEvents: allEvents,
      metrics: metrics.describe(),
      databaseUri: database.uri,
      stop: () => releasers.releaseAll(),
    };
  }
}

/** Keeps connections longer than a load balancer does; once it is closing, no longer than their running request. */
function createHttp(app: RequestListener): HttpServer {
  const slowClients = { headersTimeout: 20_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 };
  const http = createHttpServer({ keepAliveTimeout: 65_000, ...slowClients }, app);
  http.on('request', (_request, response) =>
    response.once('close', () => {
      if (!http.listening) http.closeIdleConnections();
    }),
  );
  return http;
}

function listen(http: HttpServer, { host, port }: Config['http']): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', reject);
    http.listen(port, host, () => {
      http.off('error', reject);
      resolve((http.address() as AddressInfo).port);
    });
  });
}

/** Stops accepting at once; resolves when running requests have been answered, or were cut off after the grace period. */
function close(http: HttpServer): Promise<void> {
  return new Promise((resolve) => {
    const cutOff = setTimeout(() => http.closeAllConnections(), LAST_REQUESTS_MS);
    http.close(() => {
      clearTimeout(cutOff);
      resolve();
    });
    http.closeIdleConnections();
  });
}

const LAST_REQUESTS_MS = 10_000;
