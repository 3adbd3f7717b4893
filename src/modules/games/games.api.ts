import type { RuleSet } from './rule-set';

/** What neighbours may ask of the games module. */
export interface GamesApi {
  /**
   * A mode with its current rule set, or null. Cached: an admin's change is seen by the next call on the instance that
   * took it, and within `MODE_TTL_MS` on the others.
   */
  mode(gameId: string, modeKey: string): Promise<GameMode | null>;
  /** Which of these ids are games of the catalogue. */
  known(gameIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Adds the shipped games that are missing; changes nothing that exists. @returns how many were added */
  seedCatalogue(): Promise<number>;
}

export interface GameMode {
  gameId: string;
  gameName: string;
  gameSlug: string;
  key: string;
  name: string;
  ruleSet: RuleSet;
  /** Counts up with every change of the mode; a match records it. */
  version: number;
}

export interface GameEvents extends Record<string, object> {
  'game.changed': { gameId: string; slug: string };
}
