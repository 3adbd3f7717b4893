import type { Actor, Tally } from './stage';

export interface Losses {
  /** Connections that nobody dropped. */
  cuts: number;
  /** How often facts were missing. */
  gaps: number;
  /** What had to be asked or said again. */
  unanswered: number;
}

type Lossy = { actors: readonly Pick<Actor, 'cuts' | 'gaps'>[]; tally: Pick<Tally, 'unanswered'> };

/** What was lost and made good, of all players. */
export const lossesOf = ({ actors, tally }: Lossy): Losses => ({
  cuts: actors.reduce((sum, actor) => sum + actor.cuts, 0),
  gaps: actors.reduce((sum, actor) => sum + actor.gaps, 0),
  unanswered: tally.unanswered,
});

/** Where nobody ends the server nothing should have to be made good. @returns what was, in words */
export function lossesAmiss({ cuts, gaps, unanswered }: Losses): string[] {
  const amiss: string[] = [];
  if (cuts > 0) amiss.push(`${cuts} connections were lost, and nobody dropped them`);
  if (gaps > 0) amiss.push(`news was missed ${gaps} times`);
  if (unanswered > 0) amiss.push(`${unanswered} requests were not answered at first`);
  return amiss;
}
