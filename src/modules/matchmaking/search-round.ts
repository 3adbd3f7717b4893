import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import { createSlices } from '../../core/slices';
import type { LeaseHolder } from '../../database/leases';
import type { GameMode } from '../games';
import type { Found } from './drafts';
import type { Formation } from './formation';
import { inParallel } from './in-parallel';
import { leaseOf } from './leadership';
import type { PooledTicket, Pools } from './pools';

/** Matches share a commit up to this many players; a larger transaction holds up those that come upon its rows. */
const PLAYERS_PER_COMMIT = 100;
/** Commits are independent of each other: this many run side by side. */
const COMMITS_AT_ONCE = 4;
const TRIES = 3;

/** One round of searching: what the engine proposes, slice by slice, and then committed. */
export function createSearchRound({
  pools,
  formation,
  leases,
  clock,
  logger,
  stopwatch = () => performance.now(),
}: {
  pools: Pools;
  formation: Pick<Formation, 'form'>;
  leases: Pick<LeaseHolder, 'holds'>;
  clock: Clock;
  logger: Logger;
  /** Milliseconds that never jump. */
  stopwatch?: () => number;
}): () => Promise<void> {
  const propose = async (modes: ReadonlyMap<string, GameMode>, found: Found[]): Promise<void> => {
    const slices = createSlices(stopwatch);
    for (const proposal of pools.search(clock.now(), modes.keys())) {
      const mode = proposal && modes.get(proposal.pool);
      // the revisions are those that the search has seen: what comes in from here on makes the commit fail
      if (mode) found.push({ proposal, mode, tickets: proposal.ticketIds.map((id) => pools.get(id) as PooledTicket) });
      if (slices.isOver) await slices.pause();
    }
  };

  /** Other instances search the other pools. */
  const led = (modes: ReadonlyMap<string, GameMode>): ReadonlyMap<string, GameMode> =>
    new Map([...modes].filter(([pool]) => leases.holds(leaseOf(pool))));

  /** @returns whether everything that was proposed stands now */
  const searchOnce = async (): Promise<boolean> => {
    const found: Found[] = [];
    const settled = new Set<Found>();
    let formed = 0;
    try {
      await propose(led(await pools.ready()), found);
      await inParallel(commitsOf(found), COMMITS_AT_ONCE, async (together) => {
        formed += await formation.form(together);
        for (const each of together) settled.add(each);
      });
    } finally {
      // nobody who could have been matched is forgotten, whatever went wrong
      pools.giveBack(found.filter((each) => !settled.has(each)).flatMap(({ proposal }) => proposal.ticketIds));
    }
    if (found.length > 0) logger.debug({ proposed: found.length, formed }, 'matchmaking round');
    return formed === found.length;
  };

  return async () => {
    // whoever was proposed with somebody who is gone by now need not wait for the next round
    for (let tries = 0; tries < TRIES; tries++) if (await searchOnce()) return;
  };
}

/** What is committed together. */
function commitsOf(found: readonly Found[]): Found[][] {
  const commits: Found[][] = [];
  let room = 0;
  for (const each of found) {
    const players = each.tickets.reduce((sum, ticket) => sum + ticket.userIds.length, 0);
    const last = commits.at(-1);
    if (last && players <= room) last.push(each);
    else commits.push([each]);
    room = (last && players <= room ? room : PLAYERS_PER_COMMIT) - players;
  }
  return commits;
}
