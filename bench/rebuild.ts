import mongoose, { type Connection } from 'mongoose';
import { cpus, loadavg } from 'node:os';
import { startDatabase } from '../scripts/cluster/services';
import { systemClock } from '../src/core/clock';
import { createEventBus } from '../src/core/event-bus';
import { systemIds } from '../src/core/ids';
import { createLogger } from '../src/core/logger';
import { migrateUp } from '../src/database/migrations';
import { createOutbox } from '../src/database/outbox';
import { createTransact } from '../src/database/transaction';
import { createMatchmakingModule } from '../src/modules/matchmaking';
import type { LobbiesApi } from '../src/modules/lobbies';
import { createUsersModule } from '../src/modules/users';
import { createMetrics } from '../src/observability/metrics';
import type { Realtime } from '../src/realtime/server';
import type { DomainEvents } from '../src/server';
import { lagOf } from './lag/measure';
import { rowOf } from './lag/rows';
import { fives, ticketsOf } from './engine-workloads';

/**
 * How long a server that starts, or takes a pool over, needs to read a large pool from the database into its memory, and how long
 * everything else in the process waits meanwhile: `npm run bench:rebuild -- [--tickets 100000]`. The database is in a process of its own.
 */

const GAME = '65000000000000000000000a';
const MODE = 'bench';
const ROUNDS = 5;
const INSERT_AT_ONCE = 1000;
const at = process.argv.indexOf('--tickets');
const count = Number(at < 0 ? 100_000 : process.argv[at + 1]);
const logger = createLogger({ level: 'error', pretty: false });

async function fill(connection: Connection): Promise<void> {
  const tickets = ticketsOf(fives, count, 1);
  for (let from = 0; from < count; from += INSERT_AT_ONCE)
    await connection
      .collection('tickets')
      .insertMany(tickets.slice(from, from + INSERT_AT_ONCE).map((ticket) => rowOf(ticket, GAME, MODE)));
}

/** What `src/server.ts` puts together, as far as the search needs it. */
function matchmakingOn(connection: Connection) {
  const mode = {
    gameId: GAME,
    gameName: '',
    gameSlug: '',
    key: MODE,
    name: '',
    version: 1,
    ruleSet: fives.ruleSet,
  };
  const bus = createEventBus<DomainEvents>();
  const shared = {
    connection,
    transact: createTransact(connection),
    bus,
    outbox: createOutbox<DomainEvents>({ connection, bus, clock: systemClock, ids: systemIds, logger }),
    realtime: {} as Realtime,
    clock: systemClock,
    ids: systemIds,
    logger,
    metrics: createMetrics(),
    games: {
      mode: () => Promise.resolve(mode),
      known: (ids: readonly string[]) => Promise.resolve(new Set(ids)),
      seedCatalogue: () => Promise.resolve(0),
    },
  };
  const users = createUsersModule(shared);
  return createMatchmakingModule({
    ...shared,
    leases: { holds: () => true, fence: () => Promise.resolve() },
    config: { tickMs: 1000, catchUpMs: 1000, record: undefined },
    recording: null,
    users: users.api,
    lobbies: {} as LobbiesApi,
  });
}

async function main(): Promise<void> {
  const database = await startDatabase();
  try {
    const connections = Array.from({ length: ROUNDS }, () =>
      mongoose.createConnection(database.uri, { autoIndex: false }),
    );
    const [first] = await Promise.all(connections.map((connection) => connection.asPromise()));
    if (!first) throw new Error('there is a round');
    await migrateUp(first, logger);
    await fill(first);
    console.log(`${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}; ${count} tickets`);
    const rows = [];
    // models belong to a connection, and a module makes its own
    for (const connection of connections) {
      const cpu = process.cpuUsage();
      const { seconds, ...lag } = await lagOf(() => matchmakingOn(connection).api.restore());
      const { user, system } = process.cpuUsage(cpu);
      rows.push({ seconds: rounded(seconds), cpuSeconds: rounded((user + system) / 1e6), ...lag });
      await connection.close();
    }
    console.table(rows);
    console.log(`lag in ms late, of a timer that is due every millisecond; load average ${loadavg()[0]?.toFixed(1)}`);
  } finally {
    await database.child.stop();
  }
}

const rounded = (value: number) => Math.round(value * 100) / 100;

void main();
