import { AppError } from '../../../core/errors';
import { createLoop, type Loop } from '../../../core/loop';
import type { SyncBody, SyncView } from '../games.schemas';
import { createImporter, type ImporterDeps } from './import';
import { createIgdb } from './igdb/igdb';
import type { IgdbClientDeps, IgdbSettings } from './igdb/igdb-client';
import { createLookUp, type LookUpDeps } from './look-up';
import { createSync, type SyncDeps } from './sync';

/** What the module has of an external catalogue; without one, the same that does nothing. */
export interface External {
  /** @returns whether it is worth searching again */
  find: (typed: string) => Promise<boolean>;
  /** @throws CATALOGUE_OFF */
  startSync(options: SyncBody, actorId: string): Promise<SyncView>;
  /** @throws CATALOGUE_OFF */
  progress(): Promise<SyncView>;
  loops: Loop[];
}

export type ExternalDeps = Omit<IgdbClientDeps, 'settings' | 'memory' | 'random' | 'times'> &
  Pick<LookUpDeps, 'memory' | 'transact'> &
  Pick<IgdbClientDeps, 'memory'> &
  Pick<ImporterDeps, 'Games' | 'ids'> &
  Pick<SyncDeps, 'Syncs' | 'audit' | 'instanceId'> & { config: { igdb: IgdbSettings | undefined } };

const SYNC_EVERY_MS = 5_000;

export function createExternal(deps: ExternalDeps): External {
  const { igdb: settings } = deps.config;
  if (!settings) return off;
  const { logger } = deps;
  const catalogue = createIgdb({ ...deps, settings });
  const importer = createImporter({ ...deps, provider: catalogue.name });
  const lookUp = createLookUp({ ...deps, catalogue, importer });
  const sync = createSync({ ...deps, catalogue, importer });

  const stopping = new AbortController();
  const loop = createLoop({
    name: 'catalogue',
    everyMs: SYNC_EVERY_MS,
    // a page to a tick: a stop waits for no more than that
    tick: async () => {
      if (!stopping.signal.aborted && (await sync.step(stopping.signal))) loop.wake();
    },
    onError: (err) => logger.error({ err }, 'the catalogue could not be synchronised'),
  });

  return {
    find: (typed) => lookUp.find(typed),
    async startSync(options, actorId) {
      const view = await sync.start(options, actorId);
      loop.wake();
      return view;
    },
    progress: () => sync.progress(),
    loops: [
      {
        ...loop,
        async stop() {
          stopping.abort();
          await Promise.all([loop.stop(), lookUp.stop()]);
          await sync.release();
        },
      },
    ],
  };
}

const refuse = async (): Promise<never> => {
  throw new AppError('CATALOGUE_OFF', 'This server has no IGDB_CLIENT_ID and IGDB_CLIENT_SECRET.');
};
const off: External = { find: async () => false, startSync: refuse, progress: refuse, loops: [] };
