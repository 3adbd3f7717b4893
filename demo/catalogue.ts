import type { Rest } from './rest';

/** A mode as far as the simulated players care, read from the public catalogue. */
export interface PlayableMode {
  gameId: string;
  slug: string;
  game: string;
  mode: string;
  teams: { count: number; size: { min: number; max: number } };
  /** Roles of one team and how many of each. */
  roles: Record<string, number> | null;
  asksToAccept: boolean;
  /** How long a match holds out for more players than it needs. */
  holdSeconds: number;
}

export const modeKeyOf = ({ gameId, mode }: { gameId: string; mode: string }): string => `${gameId}:${mode}`;

/** Numbers of players with which a match can begin; two teams are always equal in size. */
export function possibleTotals({ teams: { count, size } }: Pick<PlayableMode, 'teams'>): number[] {
  const totals: number[] = [];
  for (let total = count * size.min; total <= count * size.max; total++)
    if (total >= 2 && (count !== 2 || total % 2 === 0)) totals.push(total);
  return totals;
}

/** Every mode that can be queued for, or those of one game. @throws with what the server said */
export async function readCatalogue(rest: Rest, slug?: string): Promise<PlayableMode[]> {
  if (slug !== undefined) return modesOf(await fetched(rest, `/api/games/${encodeURIComponent(slug)}`));
  const modes: PlayableMode[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: unknown[]; nextCursor: string | null } = await fetched(
      rest,
      `/api/games?limit=100${cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
    );
    modes.push(...page.items.flatMap(modesOf));
    cursor = page.nextCursor;
  } while (cursor !== null);
  return modes;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
async function fetched(rest: Rest, path: string): Promise<any> {
  const { status, body } = await rest.patient({ method: 'GET', path });
  if (status !== 200) throw new Error(`GET ${path} answered ${status}: ${body?.detail ?? 'no detail'}`);
  return body;
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
function modesOf(game: any): PlayableMode[] {
  return game.modes.map(
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    (mode: any): PlayableMode => ({
      gameId: game.id,
      slug: game.slug,
      game: game.name,
      mode: mode.key,
      teams: mode.ruleSet.teams,
      roles: mode.ruleSet.roles,
      asksToAccept: mode.ruleSet.acceptance !== null,
      holdSeconds: mode.ruleSet.hold?.holdSeconds ?? 0,
    }),
  );
}
