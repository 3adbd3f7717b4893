import { Schema, type Connection } from 'mongoose';
import { describeData } from '../../../database/personal-data';
import type { SyncView } from '../games.schemas';

/** How far the synchronisation with an external catalogue is: one row for each provider. */
export interface SyncRow {
  /** The provider. */
  _id: string;
  state: 'running' | 'done' | 'failed';
  startedAt: Date;
  finishedAt: Date | null;
  changedSince: Date | null;
  /** When the last one began that came to its end: what the next one reads begins there. */
  completeAt: Date | null;
  /** Number of the last game that was read and written. */
  after: number;
  total: number | null;
  seen: number;
  added: number;
  updated: number;
  /** The instance that works on it, and until when others leave it to that. */
  owner: string | null;
  ownedUntil: Date;
  /** Failures in a row, why, and when it is tried again. */
  failures: number;
  problem: string | null;
  retryAt: Date;
}

export type SyncModel = ReturnType<typeof createSyncModel>;

export function createSyncModel(connection: Connection) {
  const schema = new Schema<SyncRow>(
    {
      _id: String,
      state: { type: String, required: true },
      startedAt: { type: Date, required: true },
      finishedAt: { type: Date, default: null },
      changedSince: { type: Date, default: null },
      completeAt: { type: Date, default: null },
      after: { type: Number, required: true },
      total: { type: Number, default: null },
      seen: { type: Number, required: true },
      added: { type: Number, required: true },
      updated: { type: Number, required: true },
      owner: { type: String, default: null },
      ownedUntil: { type: Date, required: true },
      failures: { type: Number, required: true },
      problem: { type: String, default: null },
      retryAt: { type: Date, required: true },
    },
    { versionKey: false, minimize: false, collection: 'catalogueSyncs' },
  );
  describeData(schema, {
    what: 'How far the synchronisation with an external catalogue is',
    why: 'To go on after a restart',
    kept: 'For good: it is about nobody',
  });
  return connection.model('CatalogueSync', schema);
}

export function toSyncView(provider: string, row: SyncRow | null): SyncView {
  return {
    provider,
    state: row?.state ?? 'never',
    startedAt: row?.startedAt.toISOString() ?? null,
    finishedAt: row?.finishedAt?.toISOString() ?? null,
    changedSince: row?.changedSince?.toISOString() ?? null,
    total: row?.total ?? null,
    seen: row?.seen ?? 0,
    added: row?.added ?? 0,
    updated: row?.updated ?? 0,
    problem:
      row === null || row.problem === null
        ? null
        : { message: row.problem, retryAt: row.state === 'running' ? row.retryAt.toISOString() : null },
  };
}
