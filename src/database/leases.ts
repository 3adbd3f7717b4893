import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { describeData } from './personal-data';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import type { Transact } from './transaction';

/**
 * Leases share named pieces of work out over the live instances: each name has at most one holder.
 *
 * No wall clock is compared with another one. A holder counts up the `beat` of what it holds; everybody else watches the beats on
 * a monotonic clock of its own, and takes over what has not moved for a whole TTL. The holder trusts its lease for one TTL from
 * the moment before it sent the beat, which is earlier than any watcher can have seen it, so the two never overlap while
 * processes run. A process that is paused in between wakes up believing in a lease that is gone: therefore whatever it commits
 * has to pass the fence, inside its own transaction. Taking over counts the epoch up in the lease and in its fences,
 * so that a transaction of the earlier epoch meets a wrong number, or a write conflict, and never commits. There are several
 * fences to a lease, because transactions that pass the same one exclude each other.
 *
 * Every instance holds its share (names / live instances, rounded up): it gives back what is more and takes what is free.
 */
export interface LeaseHolder {
  /** Whether this instance holds the name now, as far as it can know without asking. */
  holds(name: string): boolean;
  /** Makes the transaction commit only if the lease is still this instance's. @throws LeaseLost */
  fence(session: ClientSession, name: string): Promise<void>;
}

export interface Leases extends LeaseHolder {
  /** Names held now. */
  held(): string[];
  /** Joins the others and takes the first share. */
  start(): Promise<void>;
  /** Renews, gives back, takes over. */
  readonly loops: Loop[];
  /** Gives everything back at once, so that others need not wait for the TTL. */
  release(): Promise<void>;
}

/** The lease moved on to another instance: nothing of what was being done may stand. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
}

export type LeaseModels = ReturnType<typeof createLeaseModels>;

export interface LeasesDeps {
  models: LeaseModels;
  transact: Transact;
  logger: Logger;
  instanceId: string;
  names: readonly string[];
  ttlMs: number;
  /** Whether no second instance can reach the database, which then runs inside this one. */
  alone?: boolean;
  /** Milliseconds that only ever go forward, also while the process is stopped. */
  monotonic?: () => number;
}

interface LeaseRow {
  _id: string;
  owner: string | null;
  epoch: number;
  beat: number;
}

interface InstanceRow {
  _id: string;
  beat: number;
}

interface FenceRow {
  _id: string;
  lease: string;
  epoch: number;
  commits: number;
}

const FENCES = 16;
/** An instance that has not moved for this many TTLs is taken off the list. */
const FORGET_AFTER_TTLS = 20;

/** Where no second instance can be: everything is held, always, and nothing has to be asked. */
const soleInstance = (names: readonly string[]): Leases => ({
  holds: () => true,
  fence: async () => undefined,
  held: () => [...names],
  loops: [],
  start: async () => undefined,
  release: async () => undefined,
});

export function createLeaseModels(connection: Connection) {
  const options = { versionKey: false, minimize: false } as const;
  const lease = new Schema<LeaseRow>(
    { _id: String, owner: { type: String, default: null }, epoch: Number, beat: Number },
    { ...options, collection: 'leases' },
  );
  const instance = new Schema<InstanceRow>({ _id: String, beat: Number }, { ...options, collection: 'instances' });
  const fence = new Schema<FenceRow>(
    { _id: String, lease: String, epoch: Number, commits: Number },
    { ...options, collection: 'fences' },
  );
  lease.index({ owner: 1 }, { name: 'owner' });
  for (const schema of [lease, instance, fence])
    describeData(schema, {
      what: 'Which instance leads which pools',
      why: 'To run many instances side by side',
      kept: 'As long as they run: it is about nobody',
    });
  return {
    Lease: connection.model('Lease', lease),
    Instance: connection.model('Instance', instance),
    Fence: connection.model('Fence', fence),
  };
}

export function createLeases(deps: LeasesDeps): Leases {
  if (deps.alone) return soleInstance(deps.names);
  const { transact, logger, instanceId, names, ttlMs } = deps;
  const monotonic = deps.monotonic ?? (() => performance.now());
  const { Lease, Instance, Fence } = deps.models;
  const wanted = new Set(names);
  const mine = new Map<string, { epoch: number; until: number }>();
  const leasesSeen = createWatcher(monotonic);
  const instancesSeen = createWatcher(monotonic);
  let nextFence = 0;
  let registered = false;

  const register = async () => {
    await Lease.bulkWrite(
      names.map((name) => ({
        updateOne: {
          filter: { _id: name },
          update: { $setOnInsert: { owner: null, epoch: 0, beat: 0 } },
          upsert: true,
        },
      })),
      { ordered: false },
    );
    registered = true;
  };

  /** Takes a name over from the state in which it was seen; false where somebody was faster. */
  const take = async ({ _id: name, epoch, beat }: LeaseRow): Promise<boolean> => {
    const sent = monotonic();
    const next = epoch + 1;
    const taken = await transact(async (session) => {
      const result = await Lease.updateOne(
        { _id: name, epoch, beat },
        { $set: { owner: instanceId, epoch: next, beat: beat + 1 } },
        { session },
      );
      if (result.matchedCount === 0) return false;
      const fences = Array.from({ length: FENCES }, (_, i) => ({
        updateOne: {
          filter: { _id: fenceId(name, i) },
          update: { $set: { lease: name, epoch: next }, $setOnInsert: { commits: 0 } },
          upsert: true,
        },
      }));
      await Fence.bulkWrite(fences, { session });
      return true;
    });
    if (taken) mine.set(name, { epoch: next, until: sent + ttlMs });
    return taken;
  };

  const giveBack = async (name: string) => {
    const epoch = mine.get(name)?.epoch;
    mine.delete(name);
    await Lease.updateOne({ _id: name, owner: instanceId, epoch }, { $set: { owner: null }, $inc: { beat: 1 } });
  };

  const beat = async (): Promise<LeaseRow[]> => {
    const sent = monotonic();
    await Instance.updateOne({ _id: instanceId }, { $inc: { beat: 1 } }, { upsert: true });
    await Lease.updateMany({ owner: instanceId }, { $inc: { beat: 1 } });
    const rows = (await Lease.find().lean<LeaseRow[]>()).filter((row) => wanted.has(row._id));
    mine.clear();
    for (const row of rows) if (row.owner === instanceId) mine.set(row._id, { epoch: row.epoch, until: sent + ttlMs });
    return rows;
  };

  const countLive = async (): Promise<number> => {
    const rows = await Instance.find().lean<InstanceRow[]>();
    instancesSeen.look(rows.map((row) => [row._id, String(row.beat)]));
    for (const row of rows)
      if (instancesSeen.stillFor(row._id) > ttlMs * FORGET_AFTER_TTLS)
        await Instance.deleteOne({ _id: row._id, beat: row.beat });
    const others = rows.filter((row) => row._id !== instanceId && instancesSeen.stillFor(row._id) < ttlMs);
    return others.length + 1;
  };

  const tick = async () => {
    if (!registered) await register();
    const rows = await beat();
    leasesSeen.look(rows.map((row) => [row._id, `${row.owner} ${row.epoch} ${row.beat}`]));
    const share = Math.ceil(names.length / (await countLive()));
    const surplus = [...mine.keys()].slice(share);
    for (const name of surplus) await giveBack(name);
    const isFree = (row: LeaseRow) =>
      row.owner === null || (row.owner !== instanceId && leasesSeen.stillFor(row._id) >= ttlMs);
    const free = startingAt(rows.filter(isFree), instanceId);
    let gained = 0;
    for (const row of free) {
      if (mine.size >= share) break;
      if (await take(row)) gained += 1;
      await turn();
    }
    if (gained > 0 || surplus.length > 0)
      logger.debug({ holds: mine.size, gained, gaveBack: surplus.length }, 'leases moved');
  };

  const loop = createLoop({
    name: 'leases',
    everyMs: ttlMs / 4,
    tick,
    onError: (err) => logger.error({ err }, 'leases could not be renewed'),
  });

  const holds = (name: string): boolean => (mine.get(name)?.until ?? 0) > monotonic();

  return {
    holds,
    held: () => [...mine.keys()].filter(holds),
    async fence(session, name) {
      if (!holds(name)) throw new LeaseLost(`the lease of ${name} is over`);
      const _id = fenceId(name, nextFence++ % FENCES);
      const passed = await Fence.updateOne(
        { _id, epoch: mine.get(name)?.epoch },
        { $inc: { commits: 1 } },
        { session },
      );
      if (passed.matchedCount === 0) throw new LeaseLost(`the lease of ${name} belongs to another instance`);
    },
    start: () => loop.tick(),
    loops: [loop],
    async release() {
      for (const name of [...mine.keys()]) await giveBack(name);
      await Instance.deleteOne({ _id: instanceId });
    },
  };
}

const fenceId = (name: string, i: number): string => `${name}/${i}`;

/** How long each thing has looked the same, from when it was first seen so. */
function createWatcher(monotonic: () => number) {
  const seen = new Map<string, { state: string; since: number }>();
  return {
    look(states: readonly (readonly [string, string])[]) {
      const now = monotonic();
      const present = new Set(states.map(([id]) => id));
      for (const id of seen.keys()) if (!present.has(id)) seen.delete(id);
      for (const [id, state] of states) if (seen.get(id)?.state !== state) seen.set(id, { state, since: now });
    },
    stillFor: (id: string): number => monotonic() - (seen.get(id)?.since ?? Infinity),
  };
}

/** The same rows, begun at a place of this instance's own: instances that start together reach for different ones. */
function startingAt<Row>(rows: readonly Row[], id: string): Row[] {
  const sum = [...id].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const at = rows.length === 0 ? 0 : sum % rows.length;
  return [...rows.slice(at), ...rows.slice(0, at)];
}
