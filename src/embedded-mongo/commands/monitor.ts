/** What happens by itself: documents expire by TTL indexes, cursors and sessions that nobody uses go. */
import { isDate, RANK } from '../values/bson-types';
import { type Server } from './command';
import { type Collection } from '../storage/collection';
import { expiryOf } from '../storage/kinds';
import { type Rec } from '../storage/versions';
import { between } from '../queries/bounds';

export const PARAMETERS = {
  transactionLifetimeLimitSeconds: 60,
  cursorTimeoutMillis: 600_000,
  clientCursorMonitorFrequencySecs: 4,
  ttlMonitorSleepSecs: 60,
  ttlMonitorEnabled: true,
};

/** Runs until `stop`; `rearm` after parameters have changed. */
export function startMonitor(server: Server): { rearm(): void; stop(): void } {
  const loops = [
    loop(() => expireDocuments(server), () => Number(server.parameters.ttlMonitorSleepSecs)), // prettier-ignore
    loop(
      () => {
        server.cursors.expire();
        server.sessions.expire();
        server.snapshots.expire();
      },
      () => Number(server.parameters.clientCursorMonitorFrequencySecs),
    ),
  ];
  return {
    rearm: () => {
      server.sessions.lifetimeMs = Number(server.parameters.transactionLifetimeLimitSeconds) * 1000;
      server.cursors.timeoutMs = Number(server.parameters.cursorTimeoutMillis);
      for (const each of loops) each.rearm();
    },
    stop: () => {
      for (const each of loops) each.stop();
    },
  };
}

function loop(tick: () => void, seconds: () => number) {
  let timer: NodeJS.Timeout;
  const rearm = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      rearm();
      tick();
    }, seconds() * 1000).unref();
  };
  rearm();
  return { rearm, stop: () => clearTimeout(timer) };
}

export function expireDocuments(server: Server, now = Date.now()): void {
  if (server.parameters.ttlMonitorEnabled !== true) return;
  for (const collection of server.store.collections({ time: Infinity })) expireIn(server, collection, now);
}

/** By ordinary deletions; documents that a transaction holds are left for the next time. */
function expireIn({ store }: Server, collection: Collection, now: number): void {
  const writer = store.begin(false);
  for (const index of collection.indexes) {
    if (index.spec.expireAfterSeconds === undefined) continue;
    const limit = new Date(now - index.spec.expireAfterSeconds * 1000);
    const { from, to } = between(RANK.date, undefined, limit, index.spec.descending[0]);
    for (const [key, rec] of index.entries.between(from, to)) {
      const version = rec.head;
      if (version?.writer || !version?.doc || !index.keysOf(version.doc).includes(key)) continue;
      collection.remove(rec, writer);
    }
  }
  expireByOption(collection, (rec) => collection.remove(rec, writer), now);
  // the disk itself tells the server when it fails
  store.commit(writer)?.catch(() => undefined);
}

/** Of clustered collections and time series, whose options say it. */
function expireByOption({ options, records }: Collection, remove: (rec: Rec) => void, now: number): void {
  const expiry = expiryOf(options);
  if (!expiry) return;
  for (const rec of records.values()) {
    const at = rec.head?.writer ? undefined : rec.head?.doc?.[expiry.field];
    if (isDate(at) && at.getTime() < now - expiry.seconds * 1000) remove(rec);
  }
}
