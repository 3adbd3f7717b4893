import type { NewGame } from '../games.schemas';

/**
 * A catalogue of games that somebody else keeps. Everything here may be slow, wrong or away: whoever asks gives a signal,
 * and goes on without an answer.
 */
export interface ExternalCatalogue {
  /** Written into the `source` of what comes from it. */
  readonly name: string;
  /** Games that people play together and that go by this name, the likeliest first. @throws ExternalCatalogueError */
  search(name: string, signal: AbortSignal): Promise<ExternalGame[]>;
  /** Games in the order of their numbers. @throws ExternalCatalogueError */
  page(query: PageQuery, signal: AbortSignal): Promise<ExternalPage>;
  /** How many all pages hold. @throws ExternalCatalogueError */
  count(changedSince: Date | null, signal: AbortSignal): Promise<number>;
}

export interface PageQuery {
  /** Number of the last game that is not asked for any more; 0 at the beginning. A number, unlike an offset, stays right while games come and go. */
  after: number;
  /** Only games that were changed later; null: all. */
  changedSince: Date | null;
  limit: number;
}

export interface ExternalPage {
  games: ExternalGame[];
  /** How many there were, with those that this catalogue cannot show. */
  seen: number;
  /** For the next page; null after the last one. */
  after: number | null;
}

/** A game as this catalogue could take it, without modes: how it is matched is for an admin to say. */
export interface ExternalGame {
  /** What the provider calls it. */
  id: string;
  changedAt: Date;
  facts: NewGame;
}

/**
 * `away`: it did not answer, or nothing that can be read. `limited`: it was asked too much. `refused`: it will not answer this,
 * however often it is asked; the settings are wrong.
 */
export type ExternalFault = 'away' | 'limited' | 'refused';

export class ExternalCatalogueError extends Error {
  override name = 'ExternalCatalogueError';
  readonly fault: ExternalFault;
  /** As the other side wishes. */
  readonly retryAfterMs: number | undefined;

  constructor(
    fault: ExternalFault,
    message: string,
    options: { cause?: unknown; retryAfterMs?: number | undefined } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.fault = fault;
    this.retryAfterMs = options.retryAfterMs;
  }
}
