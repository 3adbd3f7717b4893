import type { Clock } from '../../core/clock';
import type { LeaseHolder } from '../../database/leases';
import { largest, type Metrics } from '../../observability/metrics';
import { leaseOf } from './leadership';
import { OPEN_STATES, type MatchRow, type TicketModel } from './matchmaking.models';
import type { Pools } from './pools';

/** What formation tells of each match. */
export interface MatchMeter {
  formed(match: Pick<MatchRow, 'tickets' | 'quality'>): void;
}

/** Searches last from a moment to an hour. */
const WAITS = [1, 2.5, 5, 10, 20, 30, 60, 120, 300, 600, 1800, 3600];
/** Games and modes are made by people: beyond these the pools are counted together. */
const POOLS_SHOWN = 50;

export function measureMatchmaking({
  metrics,
  Tickets,
  pools,
  leases,
  clock,
}: {
  metrics: Metrics;
  Tickets: TicketModel;
  pools: Pick<Pools, 'all' | 'keys' | 'figures'>;
  leases: Pick<LeaseHolder, 'holds'>;
  clock: Clock;
}): MatchMeter {
  metrics.gauges('maoga_tickets', 'Open searches by state; of all instances', 'state', async () => {
    const counts = OPEN_STATES.map(async (state) => [state, await Tickets.countDocuments({ state })] as const);
    return Object.fromEntries(await Promise.all(counts));
  });
  metrics.gauges(
    'maoga_pool_tickets',
    `Searches that wait in a pool (game:mode) which this instance leads; all but the ${POOLS_SHOWN} deepest as \`other\``,
    'pool',
    () => {
      const led = pools.keys().filter((key) => leases.holds(leaseOf(key)));
      return largest(
        led.map((key) => [key, pools.figures(key).depth]),
        POOLS_SHOWN,
      );
    },
  );
  metrics.gauge(
    'maoga_queue_oldest_wait_seconds',
    'How long the oldest queued search has waited, 0 without any',
    () => {
      const now = clock.now();
      let oldest = now;
      for (const { waitingSince } of pools.all()) if (waitingSince < oldest) oldest = waitingSince;
      return (now - oldest) / 1000;
    },
  );

  const waits = metrics.histogram('maoga_match_wait_seconds', 'Time from a search to the match that took it', WAITS);
  const quality = metrics.histogram(
    'maoga_match_quality',
    'Quality of the matches that were formed, from 0 to 1',
    [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1],
  );
  return {
    formed(match) {
      for (const { waitedMs } of match.tickets) waits.observe(waitedMs / 1000);
      quality.observe(match.quality);
    },
  };
}
