import { EXCLUSIONS, type Exclusion, type Explanation } from '../src/modules/matchmaking/engine';

/**
 * Why a ticket found no match, as the engine explains it at the moment when it gives up: too few others in the pool at all; enough
 * that suit it one by one, but no group of them; or the rule that kept most candidates away.
 */
export type Reason = Exclusion | 'tooFew' | 'noGroup';

export const REASONS = ['tooFew', 'noGroup', ...EXCLUSIONS] as const satisfies readonly Reason[];

/** @param waiting players in the whole pool, this ticket's included */
export function reasonFor({ players, excludedBy }: Explanation, waiting: number): Reason {
  if (waiting < players.min) return 'tooFew';
  if (players.available >= players.min) return 'noGroup';
  const [first, ...others] = EXCLUSIONS;
  return others.reduce<Exclusion>((most, rule) => (excludedBy[rule] > excludedBy[most] ? rule : most), first);
}
