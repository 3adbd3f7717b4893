import type { Clock } from '../../core/clock';
import type { Logger } from '../../core/logger';
import type { UsersApi } from '../users';
import { proposeAll, type PoolProposal } from './engine';
import type { Formation } from './formation';
import { inParallel } from './in-parallel';
import type { Pools } from './pools';

/** Matches are independent of each other: this many commits run side by side. */
const COMMITS_AT_ONCE = 16;

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
  const withoutBlocked = async (proposals: PoolProposal[]): Promise<PoolProposal[]> => {
    const members = (proposal: PoolProposal) => proposal.ticketIds.map((id) => pools.get(id)?.userIds ?? []);
    const blocks = await users.blocks(proposals.flatMap((proposal) => members(proposal).flat()));
    const [clean, barred] = partition(proposals, (proposal) => !anyBlocked(members(proposal), blocks));
    if (barred.length > 0) await pools.refresh(barred.flatMap((proposal) => proposal.ticketIds));
    return clean;
  };

  return async () => {
    const now = clock.now();
    const searched = await pools.toSearch(now);
    if (searched.length === 0) return;
    const modes = new Map(searched.map((pool) => [pool.key, pool.mode]));
    const proposals = proposeAll(searched, now, now);
    if (proposals.length === 0) return;
    const wanted = await withoutBlocked(proposals);
    let formed = 0;
    await inParallel(wanted, COMMITS_AT_ONCE, async (proposal) => {
      const mode = modes.get(proposal.pool);
      if (mode && (await formation.form(proposal, mode))) formed += 1;
    });
    logger.debug({ pools: searched.length, proposed: proposals.length, formed }, 'matchmaking round');
  };
}

/** Whether somebody of one ticket is barred from somebody of another. */
function anyBlocked(tickets: readonly string[][], blocks: ReadonlyMap<string, ReadonlySet<string>>): boolean {
  return tickets.some((mine, i) =>
    mine.some((userId) => {
      const barred = blocks.get(userId);
      return barred !== undefined && tickets.some((theirs, j) => i !== j && theirs.some((other) => barred.has(other)));
    }),
  );
}

function partition<Item>(items: readonly Item[], fits: (item: Item) => boolean): [Item[], Item[]] {
  const yes: Item[] = [];
  const no: Item[] = [];
  for (const item of items) (fits(item) ? yes : no).push(item);
  return [yes, no];
}
