import type { ClientSession } from 'mongoose';
import type { Clock } from '../../../core/clock';
import type { Logger } from '../../../core/logger';
import type { Audit } from '../../../database/audit';
import { isDuplicateKey, type Transact } from '../../../database/transaction';
import type { SyncBody, SyncView } from '../games.schemas';
import { ExternalCatalogueError, type ExternalCatalogue } from './external-catalogue';
import type { Importer } from './import';
import { toSyncView, type SyncModel, type SyncRow } from './sync.models';

/**
 * Reads an external catalogue page by page into ours. Its row in the database is all there is to know of it:
 *
 *   (none) -> running -> done            start: what has changed since the last complete one, or everything
 *                     -> failed          start: goes on from the page where it was
 *
 * One instance at a time works on a page: it claims the row for a while by a conditional update. A page and the position behind it
 * are written in one transaction that asks whether the claim still stands, so that a crash loses at most the page that was being
 * read, another instance goes on from there, and one that was overtaken while it slept writes nothing.
 *
 * When the other side is away it is tried again after pauses that double; it fails when that does not help for hours, or at
 * once when the settings are refused.
 */
export interface Sync {
  /** Begins, or leaves the one that runs as it is. */
  start(options: SyncBody, actorId: string): Promise<SyncView>;
  progress(): Promise<SyncView>;
  /** Reads one page, if there is one to read. @returns whether to go on at once */
  step(signal: AbortSignal): Promise<boolean>;
  /** Leaves it to the others at once. */
  release(): Promise<void>;
}

export interface SyncDeps {
  catalogue: ExternalCatalogue;
  importer: Importer;
  Syncs: SyncModel;
  transact: Transact;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  logger: Logger;
  instanceId: string;
  pageSize?: number;
}

/** Read and written in one transaction; IGDB gives 500 at most. */
const PAGE_SIZE = 200;
/** Longer than a page with all its retries takes. */
export const CLAIM_MS = 120_000;
const FIRST_PAUSE_MS = 10_000;
const LONGEST_PAUSE_MS = 600_000;
const MOST_FAILURES = 20;
/** What changed a little before the last one began is read again: clocks differ, and what is there twice does not matter. */
const MARGIN_MS = 3_600_000;

export function createSync(deps: SyncDeps): Sync {
  const { catalogue, importer, Syncs, transact, audit, clock, logger, instanceId, pageSize = PAGE_SIZE } = deps;
  const _id = catalogue.name;
  const now = (): Date => new Date(clock.now());
  const read = () => Syncs.findById(_id).lean<SyncRow>();

  const claim = (): Promise<SyncRow | null> =>
    Syncs.findOneAndUpdate(
      {
        _id,
        state: 'running',
        retryAt: { $lte: now() },
        $or: [{ owner: null }, { owner: instanceId }, { ownedUntil: { $lte: now() } }],
      },
      { $set: { owner: instanceId, ownedUntil: new Date(clock.now() + CLAIM_MS) } },
      { returnDocument: 'after' },
    ).lean<SyncRow>();

  /** The row as it was claimed: nobody has overtaken us, and nobody has begun anew. */
  const asClaimed = ({ after, startedAt }: SyncRow) => ({
    _id,
    state: 'running' as const,
    owner: instanceId,
    after,
    startedAt,
  });

  const readPage = async (row: SyncRow, signal: AbortSignal): Promise<boolean> => {
    const { after, changedSince } = row;
    const total = row.total ?? (await catalogue.count(changedSince, signal));
    const page = await catalogue.page({ after, changedSince, limit: pageSize }, signal);
    const position =
      page.after === null
        ? { state: 'done', finishedAt: now(), completeAt: row.startedAt, owner: null }
        : { after: page.after, ownedUntil: new Date(clock.now() + CLAIM_MS) };
    await transact(async (session) => {
      const counts = await importer.write(page.games, session);
      const moved = await Syncs.updateOne(
        asClaimed(row),
        { $set: { ...position, total, failures: 0, problem: null }, $inc: { ...counts, seen: page.seen } },
        { session },
      );
      if (moved.matchedCount === 0) throw new Overtaken();
    });
    return page.after !== null;
  };

  const noteFailure = async (row: SyncRow, error: unknown): Promise<void> => {
    const failures = row.failures + 1;
    const known = error instanceof ExternalCatalogueError ? error : undefined;
    const pauseMs = Math.max(
      Math.min(FIRST_PAUSE_MS * 2 ** (failures - 1), LONGEST_PAUSE_MS),
      known?.retryAfterMs ?? 0,
    );
    const over = known?.fault === 'refused' || failures >= MOST_FAILURES;
    const problem = known ? known.message : 'an unexpected error, which was logged';
    if (!known || over) logger.error({ err: error }, 'the catalogue could not be synchronised');
    await Syncs.updateOne(asClaimed(row), {
      $set: {
        failures,
        problem,
        owner: null,
        retryAt: new Date(clock.now() + pauseMs),
        ...(over ? { state: 'failed', finishedAt: now() } : {}),
      },
    });
  };

  return {
    async start({ full }, actorId) {
      const before = await read();
      const idle = { owner: null, ownedUntil: now(), failures: 0, problem: null, retryAt: now(), finishedAt: null };
      const goesOn = before?.state === 'failed' && !full;
      const completeAt = before?.completeAt ?? null;
      const anew = {
        startedAt: now(),
        changedSince: full || completeAt === null ? null : new Date(completeAt.getTime() - MARGIN_MS),
        completeAt,
        after: 0,
        total: null,
        seen: 0,
        added: 0,
        updated: 0,
      };
      const fields = { ...idle, ...(goesOn ? {} : anew), state: 'running' as const };
      const begin = async (session: ClientSession): Promise<boolean> => {
        if (before === null) await Syncs.create([{ _id, ...anew, ...fields }], { session });
        if (before === null) return true;
        const asRead = { _id, state: before.state, startedAt: before.startedAt };
        return (await Syncs.updateOne(asRead, { $set: fields }, { session })).matchedCount === 1;
      };
      const act = {
        action: 'catalogue.syncStarted',
        actorId,
        targetId: null,
        details: { provider: _id, full },
      } as const;
      if (before?.state !== 'running')
        // two who begin the very first one: the index of ids lets one through
        await transact(async (session) => {
          if (await begin(session)) await audit.append(session, act);
        }).catch(unlessDuplicate);
      return toSyncView(_id, await read());
    },

    progress: async () => toSyncView(_id, await read()),

    async step(signal) {
      const row = await claim();
      if (!row) return false;
      try {
        return await readPage(row, signal);
      } catch (error) {
        if (signal.aborted || error instanceof Overtaken) return false;
        await noteFailure(row, error);
        return false;
      }
    },

    async release() {
      await Syncs.updateOne({ _id, owner: instanceId }, { $set: { owner: null } });
    },
  };
}

/** Another instance has taken the page: what was read here is not written. */
class Overtaken extends Error {
  override name = 'Overtaken';
}

function unlessDuplicate(error: unknown): void {
  if (!isDuplicateKey(error)) throw error;
}
