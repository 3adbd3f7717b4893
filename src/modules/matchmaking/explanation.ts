import type { GamesApi } from '../games';
import { relaxation, type Explanation } from './engine';
import { poolOf } from './matchmaking.policy';
import type { ExplanationView, TicketView } from './matchmaking.schemas';
import type { Pools } from './pools';
import type { Waits } from './waits';

/** Why a ticket still waits, as seen from each of its pools: who is there, which rule keeps how many away, and what will change. */
export async function explain(
  ticket: TicketView,
  { pools, waits, games, now }: { pools: Pools; waits: Waits; games: Pick<GamesApi, 'mode'>; now: number },
): Promise<ExplanationView> {
  const explained: ExplanationView['pools'] = [];
  for (const key of pools.get(ticket.id)?.pools ?? []) {
    const { gameId, mode: modeKey } = poolOf(key);
    const mode = await games.mode(gameId, modeKey);
    const seen = pools.explain(key, ticket.id, now);
    if (!mode || !seen) continue;
    const { nextExpansion, opensAt, nearestMisses, ...counts } = seen;
    explained.push({
      gameId,
      mode: modeKey,
      ...counts,
      nearestMisses: nearestMisses.map((miss) => ({
        ...miss,
        distance: round(miss.distance),
        excess: round(miss.excess),
      })),
      nextExpansion: nextExpansion && { at: iso(nextExpansion.at), admits: nextExpansion.admits },
      opensAt: opensAt === null ? null : iso(opensAt),
      relaxation: relaxation(mode.ruleSet, ticket.waitedMs),
      eta: etaOf(seen, waits, key, ticket.waitedMs, now),
    });
  }
  return { ticketId: ticket.id, state: ticket.state, pools: explained };
}

const iso = (ms: number): string => new Date(ms).toISOString();
const round = (x: number): number => Math.round(x * 100) / 100;

type Eta = ExplanationView['pools'][number]['eta'];

/**
 * How much longer, and how that is known: from how long others have waited in the last hour; or, where too few suit now and
 * waiting will admit enough, the moment at which it does.
 */
function etaOf({ players, nextExpansion }: Explanation, waits: Waits, key: string, waitedMs: number, now: number): Eta {
  const estimate = waits.estimate(key, waitedMs, now);
  if (estimate !== null) return { ms: estimate, basis: 'recent_waits', sample: waits.figures(key, now)?.count ?? 0 };
  const missing = players.min - players.available;
  if (missing > 0 && nextExpansion && nextExpansion.admits >= missing)
    return { ms: Math.max(0, nextExpansion.at - now), basis: 'next_expansion', sample: null };
  return null;
}
