import { setTimeout as delay } from 'node:timers/promises';
import { createBounded } from '../../../core/bounded';
import type { Logger } from '../../../core/logger';
import { searchKeys, searchPrefix } from '../../../core/search-text';
import { isDuplicateKey, type Transact } from '../../../database/transaction';
import type { SharedMemory } from '../../../redis/shared-memory';
import type { ExternalCatalogue } from './external-catalogue';
import type { Importer } from './import';

/**
 * When a search finds nothing here, the name is looked up in the external catalogue, and what goes by it is taken over.
 *
 * A name is asked for once: everybody who asks at the same time shares it, and what was answered, nothing included, is remembered
 * for a day (in Redis for all instances). Few look-ups run at once, a few more wait, and the rest is not looked up. The
 * search waits a moment at most, and what arrives later is there for the next one. Nothing here ever throws.
 */
export interface LookUp {
  /** @returns whether the catalogue has gained something that this search could find */
  find(typed: string): Promise<boolean>;
  /** Ends what runs, and waits until it has ended. */
  stop(): Promise<void>;
}

export interface LookUpDeps {
  catalogue: ExternalCatalogue;
  importer: Importer;
  transact: Transact;
  memory: Pick<SharedMemory, 'recall' | 'remember'>;
  logger: Logger;
  waitMs?: number;
}

const WAIT_MS = 700;
const REMEMBERED_MS = 86_400_000;
const SHORTEST = 3;
const AT_ONCE = 2;
const WAITING = 8;

export function createLookUp({ catalogue, importer, transact, memory, logger, waitMs = WAIT_MS }: LookUpDeps): LookUp {
  const bounded = createBounded({ atOnce: AT_ONCE, waiting: WAITING });
  const running = new Map<string, Promise<boolean>>();
  const stopping = new AbortController();

  const ask = async (typed: string, prefix: string): Promise<boolean> => {
    const note = `${catalogue.name}:asked:${prefix}`;
    if ((await memory.recall(note)) !== undefined) return false;
    return bounded(async () => {
      const found = await catalogue.search(typed, stopping.signal);
      // what this very search would not find is none of its business
      const games = found.filter(({ facts }) =>
        searchKeys([facts.name, ...facts.aliases]).some((key) => key.startsWith(prefix)),
      );
      const { added } = await twice(() => transact((session) => importer.write(games, session)));
      await memory.remember(note, '1', REMEMBERED_MS);
      return added > 0;
    });
  };

  const begin = (typed: string, prefix: string): Promise<boolean> => {
    const work = ask(typed, prefix)
      .catch((err: unknown) => {
        logger.debug({ err }, 'a name could not be looked up in the external catalogue');
        return false;
      })
      .finally(() => running.delete(prefix));
    running.set(prefix, work);
    return work;
  };

  return {
    async find(typed) {
      const prefix = searchPrefix(typed);
      if (prefix.length < SHORTEST || stopping.signal.aborted) return false;
      const enough = new AbortController();
      const late = delay(waitMs, false, { signal: enough.signal }).catch(() => false);
      const found = await Promise.race([running.get(prefix) ?? begin(typed, prefix), late]);
      enough.abort();
      return found;
    },
    async stop() {
      stopping.abort();
      await Promise.all(running.values());
    },
  };
}

/** Another instance may add the same game at the same moment: seen on a second look. */
async function twice<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
    return work();
  }
}
