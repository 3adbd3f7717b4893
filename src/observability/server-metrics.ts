import type { Loop } from '../core/loop';
import type { Leases } from '../database/leases';
import type { Outbox, OutboxMeter } from '../database/outbox';
import type { RedisStatus } from '../redis/redis';
import { SECONDS, type Metrics } from './metrics';

const REDIS_STATES: readonly RedisStatus[] = ['off', 'ready', 'away'];

/** What the composition root knows of: loops, outboxes, leases and Redis. */
export function measureServer(
  metrics: Metrics,
  {
    loops,
    outboxes,
    leases,
    redis,
  }: {
    loops: readonly Loop[];
    outboxes: Readonly<Record<string, { backlog: Outbox<never>['backlog'] }>>;
    leases: Pick<Leases, 'held'>;
    redis: { status(): RedisStatus };
  },
): void {
  const durations = metrics.histogram(
    'maoga_loop_duration_seconds',
    'Time that one tick of a background loop took, by how it ended (ok, failed)',
    SECONDS,
    ['loop', 'outcome'],
  );
  const lastSuccess = new Map(loops.map((loop) => [loop.name, Date.now()]));
  for (const loop of loops)
    loop.observe((seconds, failed) => {
      durations.observe({ loop: loop.name, outcome: failed ? 'failed' : 'ok' }, seconds);
      if (!failed) lastSuccess.set(loop.name, Date.now());
    });
  metrics.gauges(
    'maoga_loop_last_success_timestamp_seconds',
    'When a background loop last completed a tick, at first when the server started; seconds since 1970',
    'loop',
    () => Object.fromEntries([...lastSuccess].map(([name, at]) => [name, at / 1000])),
  );

  const backlogs = async () => {
    const entries = Object.entries(outboxes).map(async ([name, outbox]) => [name, await outbox.backlog()] as const);
    return Promise.all(entries);
  };
  metrics.gauges(
    'maoga_outbox_backlog',
    'News that are not told yet, counted up to 10,000; of all instances',
    'outbox',
    async () => Object.fromEntries((await backlogs()).map(([name, { count }]) => [name, count])),
  );
  metrics.gauges(
    'maoga_outbox_oldest_age_seconds',
    'Age of the oldest news that is not told yet, 0 without any; of all instances',
    'outbox',
    async () => Object.fromEntries((await backlogs()).map(([name, { oldestMs }]) => [name, oldestMs / 1000])),
  );

  metrics.gauge(
    'maoga_leases_held',
    'Leases that this instance holds: its share of the pools',
    () => leases.held().length,
  );
  metrics.gauges(
    'maoga_redis_state',
    'How Redis is: 1 for the state that holds (off: none is configured; away: it does not answer)',
    'state',
    () => {
      const now = redis.status();
      return Object.fromEntries(REDIS_STATES.map((state) => [state, state === now ? 1 : 0]));
    },
  );
}

/** @returns a meter for each outbox, by its name */
export function measureOutboxes(metrics: Metrics): (outbox: string) => OutboxMeter {
  const told = metrics.counter(
    'maoga_events_told_total',
    'Domain events that every subscriber took: matches formed, tickets expired, lobbies opened and closed, …',
    ['outbox', 'event'],
  );
  const failed = metrics.counter(
    'maoga_events_failed_total',
    'Domain events that a subscriber failed to take; they are told again',
    ['outbox', 'event'],
  );
  const delays = metrics.histogram(
    'maoga_event_delay_seconds',
    'Time from the transaction that wrote a domain event until everybody was told',
    [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
    ['outbox'],
  );
  return (outbox) => ({
    told(event, delayMs) {
      told.inc({ outbox, event });
      delays.observe({ outbox }, Math.max(0, delayMs) / 1000);
    },
    failed: (event) => failed.inc({ outbox, event }),
  });
}
