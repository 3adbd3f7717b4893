import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import type { GameMode } from '../games';
import type { UsersApi } from '../users';
import { proposeAll, type PoolProposal } from './engine';
import type { Formation } from './formation';
import { inParallel } from './in-parallel';
import type { PooledTicket, Pools, SearchPool } from './pools';

/** Matches are independent of each other: this many commits run side by side. */
const COMMITS_AT_ONCE = 16;

const TRIES = 3;

/** What the engine proposes, with the tickets as it saw them. */
interface Found {
  proposal: PoolProposal;
  mode: GameMode;
  tickets: PooledTicket[];
}

/** One round of searching: what the engine proposes for the pools in which something changed, committed match by match. */
export function createSearchRound({
  pools,
  formation,
  users,
  clock,
  logger,
}: {
  pools: Pools;
  formation: Formation;
  users: Pick<UsersApi, 'blocks'>;
  clock: Clock;
  logger: Logger;
}): () => Promise<void> {
  /** Blocks are read when a ticket enters; here they are read again, for somebody may just have been blocked. */
  const withoutBlocked = async (found: Found[]): Promise<Found[]> => {
    const blocks = await users.blocks(found.flatMap(({ tickets }) => tickets.flatMap((ticket) => ticket.userIds)));
    const isBarred = ({ tickets }: Found) => anyBlocked(tickets, blocks);
    await pools.refresh(found.filter(isBarred).flatMap(({ proposal }) => proposal.ticketIds));
    return found.filter((each) => !isBarred(each));
  };

  /** @returns whether everything that was proposed stands now */
  const search = async (searched: readonly SearchPool[], now: number): Promise<boolean> => {
    const byKey = new Map(searched.map((pool) => [pool.key, pool]));
    const found = proposeAll(searched, now, now).map((proposal): Found => {
      const { mode, seen } = byKey.get(proposal.pool) as SearchPool;
      return { proposal, mode, tickets: proposal.ticketIds.map((id) => seen.get(id) as PooledTicket) };
    });
    let formed = 0;
    await inParallel(await withoutBlocked(found), COMMITS_AT_ONCE, async ({ proposal, tickets, mode }) => {
      if (await formation.form(proposal, tickets, mode)) formed += 1;
    });
    if (found.length > 0) logger.debug({ pools: searched.length, proposed: found.length, formed }, 'matchmaking round');
    return formed === found.length;
  };

  const searchOnce = async (): Promise<boolean> => {
    const now = clock.now();
    const searched = await pools.toSearch(now);
    try {
      return await search(searched, now);
    } catch (error) {
      // nobody who could have been matched waits for the next change of the pool
      pools.searchAgain(searched.map((pool) => pool.key));
      throw error;
    }
  };

  return async () => {
    // whoever was proposed with somebody who is gone by now need not wait for the next round
    for (let tries = 0; tries < TRIES; tries++) if (await searchOnce()) return;
  };
}

/** Whether somebody of one ticket is barred from somebody of another. */
function anyBlocked(tickets: readonly PooledTicket[], blocks: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return tickets.some((mine) =>
    mine.userIds.some((userId) => {
      const barred = blocks.get(userId);
      return (
        barred !== undefined &&
        tickets.some((theirs) => theirs !== mine && theirs.userIds.some((other) => barred.has(other)))
      );
    }),
  );
}
