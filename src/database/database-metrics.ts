import type { Connection } from 'mongoose';
import { SECONDS, type Metrics } from '../observability/metrics';

/** Commands whose times are told apart: those that the server sends. Others count as `other`. */
const COMMANDS: ReadonlySet<string> = new Set([
  'aggregate',
  'abortTransaction',
  'bulkWrite',
  'commitTransaction',
  'count',
  'delete',
  'distinct',
  'find',
  'findAndModify',
  'getMore',
  'insert',
  'ping',
  'update',
]);
const PRIMARIES: ReadonlySet<string> = new Set(['RSPrimary', 'Mongos', 'Standalone', 'LoadBalanced']);

/**
 * What the driver reports of its commands and its pool. Commands are reported only where the connection was made with
 * `monitorCommands`. A connection that was there before is known from its first use on.
 */
export function measureDatabase(metrics: Metrics, connection: Connection): void {
  const client = connection.getClient();

  const durations = metrics.histogram(
    'maoga_database_command_duration_seconds',
    'Time from a command to MongoDB to its answer, by how it ended (ok, error)',
    [0.001, 0.0025, ...SECONDS],
    ['command', 'outcome'],
  );
  const timed = (outcome: string) => (event: { commandName: string; duration: number }) => {
    const command = COMMANDS.has(event.commandName) ? event.commandName : 'other';
    durations.observe({ command, outcome }, event.duration / 1000);
  };
  client.on('commandSucceeded', timed('ok'));
  client.on('commandFailed', timed('error'));

  const open = new Set<string>();
  const inUse = new Set<string>();
  let waiting = 0;
  const waits = metrics.histogram(
    'maoga_database_checkout_duration_seconds',
    'Time that work waited for a connection of the pool',
    [0.001, 0.0025, ...SECONDS],
  );
  const failures = metrics.counter(
    'maoga_database_checkout_failures_total',
    'Waits for a connection that ended without one',
  );
  const nameOf = ({ address, connectionId }: { address: string; connectionId: unknown }) =>
    `${address}#${String(connectionId)}`;
  client.on('connectionCreated', (event) => open.add(nameOf(event)));
  client.on('connectionClosed', (event) => {
    open.delete(nameOf(event));
    inUse.delete(nameOf(event));
  });
  client.on('connectionCheckOutStarted', () => (waiting += 1));
  client.on('connectionCheckedOut', (event) => {
    waiting = Math.max(0, waiting - 1);
    open.add(nameOf(event));
    inUse.add(nameOf(event));
    waits.observe(event.durationMS / 1000);
  });
  client.on('connectionCheckOutFailed', () => {
    waiting = Math.max(0, waiting - 1);
    failures.inc();
  });
  client.on('connectionCheckedIn', (event) => inUse.delete(nameOf(event)));
  metrics.gauges('maoga_database_connections', 'Connections to MongoDB: in use, and idle in the pool', 'state', () => ({
    in_use: inUse.size,
    idle: open.size - inUse.size,
  }));
  metrics.gauge('maoga_database_checkouts_waiting', 'Work that waits for a connection of the pool', () => waiting);

  // connected by now: changes are told from here on
  let primary = true;
  client.on('topologyDescriptionChanged', ({ newDescription }) => {
    primary = [...newDescription.servers.values()].some(({ type }) => PRIMARIES.has(type));
  });
  metrics.gauge('maoga_database_primary_known', 'Whether the driver knows a primary to write to (1) or none (0)', () =>
    primary ? 1 : 0,
  );
}
