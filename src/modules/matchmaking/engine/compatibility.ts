import type { Seeker } from './seeker';

/**
 * Who may meet whom: small predicates over two tickets, each mutual. The search uses them as they are, an explanation
 * counts by name whom each of them excludes. Two tickets may share a match only if no rule excludes the pair.
 */
export type PairRule = (a: Seeker, b: Seeker) => boolean;

/** Each rule answers "excluded?". */
export const PAIR_RULES = {
  /** Blocks are absolute and for ever. */
  blocked: (a, b) => blocks(a, b) || blocks(b, a),
  /** The stricter of the two limits prevails. */
  skill: (a, b) => Math.abs(a.rating - b.rating) > Math.min(a.spreadLimit, b.spreadLimit),
  /** Whoever insists on a region shares one with everybody. */
  region: (a, b) => (a.needsRegion || b.needsRegion) && (a.regions & b.regions) === 0,
  language: (a, b) => (a.needsLanguage || b.needsLanguage) && !shareLanguage(a.languages, b.languages),
  /** There is a number of players that suits both and holds both. */
  groupSize: (a, b) => {
    const most = Math.min(a.maxPlayers, b.maxPlayers);
    return a.size + b.size > most || Math.max(a.minPlayers, b.minPlayers) > most;
  },
} satisfies Record<string, PairRule>;

export type PairRuleName = keyof typeof PAIR_RULES;
export const PAIR_RULE_NAMES = Object.keys(PAIR_RULES) as PairRuleName[];

/** Cheapest and most often decisive first. */
export const compatible = (a: Seeker, b: Seeker): boolean =>
  !PAIR_RULES.skill(a, b) &&
  !PAIR_RULES.region(a, b) &&
  !PAIR_RULES.groupSize(a, b) &&
  !PAIR_RULES.language(a, b) &&
  !PAIR_RULES.blocked(a, b);

/** The names of all rules that keep the two apart. */
export const exclusions = (a: Seeker, b: Seeker): PairRuleName[] =>
  PAIR_RULE_NAMES.filter((name) => PAIR_RULES[name](a, b));

function blocks(a: Seeker, b: Seeker): boolean {
  return a.ticket.blocked.size > 0 && b.ticket.players.some((player) => a.ticket.blocked.has(player.userId));
}

/** No languages means any. */
export function shareLanguage(a: readonly string[], b: readonly string[]): boolean {
  return a.length === 0 || b.length === 0 || a.some((language) => b.includes(language));
}
