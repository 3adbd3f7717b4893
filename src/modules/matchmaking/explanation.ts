import type { GamesApi } from '../games';
import { exclusions, nextRelaxation, PAIR_RULE_NAMES, relaxation, seekerOf, type Ticket } from './engine';
import { poolOf } from './matchmaking.policy';
import type { ExplanationView, TicketView } from './matchmaking.schemas';
import type { Pools } from './pools';
import type { Waits } from './waits';

/** Why a ticket still waits: for each of its pools, how many candidates there are and which rule keeps how many of them away. */
export async function explain(
  ticket: TicketView,
  { pools, waits, games, now }: { pools: Pools; waits: Waits; games: Pick<GamesApi, 'mode'>; now: number },
): Promise<ExplanationView> {
  const mine = pools.get(ticket.id)?.pools ?? new Map<string, Ticket>();
  const explained: ExplanationView['pools'] = [];
  for (const [key, entry] of mine) {
    const { gameId, mode: modeKey } = poolOf(key);
    const mode = await games.mode(gameId, modeKey);
    if (!mode) continue;
    const { ruleSet } = mode;
    const seeker = seekerOf(entry, ruleSet, now);
    const excludedBy = Object.fromEntries(PAIR_RULE_NAMES.map((name) => [name, 0]));
    let compatible = 0;
    let candidates = 0;
    for (const other of pools.tickets(key).values()) {
      if (other.id === ticket.id) continue;
      candidates += 1;
      const names = exclusions(seeker, seekerOf(other, ruleSet, now));
      if (names.length === 0) compatible += 1;
      for (const name of names) excludedBy[name] = (excludedBy[name] ?? 0) + 1;
    }
    const next = nextRelaxation(ruleSet, [entry], now);
    explained.push({
      gameId,
      mode: modeKey,
      candidates,
      compatible,
      excludedBy,
      players: { min: seeker.minPlayers, max: seeker.maxPlayers },
      relaxation: relaxation(ruleSet, seeker.waitedMs),
      nextRelaxationAt: next === Infinity ? null : new Date(next).toISOString(),
      estimatedWaitMs: waits.estimate(key, seeker.waitedMs, now),
    });
  }
  return { ticketId: ticket.id, state: ticket.state, pools: explained };
}
