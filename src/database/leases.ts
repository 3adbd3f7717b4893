import { performance } from 'node:perf_hooks';
import { Schema, type ClientSession, type Connection } from 'mongoose';
import { describeData } from './personal-data';
import { AppError } from '../core/errors';
import type { Logger } from '../core/logger';
import { createLoop, type Loop } from '../core/loop';
import { createWatcher } from './lease-watcher';
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
 * Every instance holds its share (names / live instances, rounded up). What is more it offers and leads on, until another one puts its
 * name down as the heir: then it stops, and hands over. What a dead one has left is taken by whoever notices first, beyond the share,
 * too: the others may have come just now, and not know yet who is dead. So everything is led again within a TTL and two beats of a death.
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
  /** Whether the owner has more than its share, and would hand this over. */
  offered?: boolean;
  /** Who has asked for it, and is to have it next. */
  heir?: string | null;
}

/** A lease that is to change hands, from the state in which it was seen. */
interface Move {
  row: LeaseRow;
  seen: Partial<LeaseRow>;
  to: string;
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
/** Looks at the others, and signs of life, in one TTL. */
const BEATS = 4;

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
    {
      _id: String,
      owner: { type: String, default: null },
      epoch: Number,
      beat: Number,
      offered: Boolean,
      heir: String,
    },
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

  /** All or none: somebody may have been faster, or have locked something of it. */
  const move = async (moves: readonly Move[]): Promise<'moved' | 'changed' | 'locked'> => {
    const sent = monotonic();
    const leases = moves.map(({ row: { _id, epoch }, seen, to }) => ({
      updateOne: {
        filter: { _id, epoch, ...seen },
        update: { $set: { owner: to, epoch: epoch + 1, offered: false, heir: null }, $inc: { beat: 1 } },
      },
    }));
    const fences = moves.flatMap(({ row: { _id: name, epoch } }) =>
      Array.from({ length: FENCES }, (_, i) => ({
        updateOne: {
          filter: { _id: fenceId(name, i) },
          update: { $set: { lease: name, epoch: epoch + 1 }, $setOnInsert: { commits: 0 } },
          upsert: true,
        },
      })),
    );
    const work = async (session: ClientSession) => {
      const { matchedCount } = await Lease.bulkWrite(leases, { session });
      if (matchedCount !== moves.length) throw new LeaseLost('somebody was faster');
      await Fence.bulkWrite(fences, { session });
    };
    try {
      // a transaction that died with its server ends by itself: until then the own leases have to be renewed
      await transact(work, { giveUpMs: ttlMs / BEATS / 2 });
    } catch (error) {
      if (error instanceof LeaseLost) return 'changed';
      if (error instanceof AppError && error.code === 'UNAVAILABLE') return 'locked';
      throw error;
    }
    for (const { row, to } of moves)
      if (to === instanceId) mine.set(row._id, { epoch: row.epoch + 1, until: sent + ttlMs });
    return 'moved';
  };

  /** What is locked is left for the next time, for which the own ones have to be renewed first. @returns how many moved */
  const moveSome = async (moves: readonly Move[], until: number): Promise<number> => {
    if (moves.length === 0 || monotonic() > until) return 0;
    const outcome = await move(moves);
    if (outcome === 'moved') return moves.length;
    if (outcome === 'changed' || moves.length === 1) return 0;
    const half = moves.length >> 1;
    return (await moveSome(moves.slice(0, half), until)) + (await moveSome(moves.slice(half), until));
  };

  /** Nobody's, or a dead one's, which must not have moved meanwhile. */
  const toSelf = (row: LeaseRow): Move => ({ row, seen: { beat: row.beat }, to: instanceId });
  const toHeir = (row: LeaseRow): Move[] => (row.heir ? [{ row, seen: { owner: instanceId }, to: row.heir }] : []);

  /** Puts this instance down for what is offered, to be handed over by its owner. */
  const ask = async (rows: readonly LeaseRow[]): Promise<void> => {
    const offered = rows.map(({ _id, epoch }) => ({ _id, epoch, offered: true, heir: null }));
    if (offered.length > 0) await Lease.updateMany({ $or: offered }, { $set: { heir: instanceId } });
  };

  /** Says which of the own names others may have: those beyond the share. */
  const offer = async (rows: readonly LeaseRow[], share: number): Promise<void> => {
    const own = rows.filter(({ _id }) => mine.has(_id));
    for (const [part, offered] of [
      [own.slice(0, share), false],
      [own.slice(share), true],
    ] as const) {
      const news = part.filter((row) => (row.offered ?? false) !== offered).map(({ _id }) => _id);
      if (news.length > 0)
        await Lease.updateMany({ _id: { $in: news }, owner: instanceId, heir: null }, { $set: { offered } });
    }
  };

  const beat = async (): Promise<LeaseRow[]> => {
    const sent = monotonic();
    await Promise.all([
      Instance.updateOne({ _id: instanceId }, { $inc: { beat: 1 } }, { upsert: true }),
      Lease.updateMany({ owner: instanceId }, { $inc: { beat: 1 } }),
    ]);
    const rows = (await Lease.find().lean<LeaseRow[]>()).filter((row) => wanted.has(row._id));
    mine.clear();
    for (const { _id, owner, epoch, heir } of rows)
      if (owner === instanceId && !heir) mine.set(_id, { epoch, until: sent + ttlMs });
    return rows;
  };

  /** How many other instances have been seen to live within a TTL. */
  const countOthers = async (): Promise<number> => {
    const rows = await Instance.find().lean<InstanceRow[]>();
    instancesSeen.look(rows.map((row) => [row._id, String(row.beat)]));
    for (const row of rows)
      if (instancesSeen.stillFor(row._id) > ttlMs * FORGET_AFTER_TTLS)
        await Instance.deleteOne({ _id: row._id, beat: row.beat });
    const isLive = (id: string) => instancesSeen.hasMoved(id) && instancesSeen.stillFor(id) < ttlMs;
    return rows.filter(({ _id }) => _id !== instanceId && isLive(_id)).length;
  };

  const tick = async () => {
    if (!registered) await register();
    const until = monotonic() + ttlMs / BEATS;
    const rows = await beat();
    leasesSeen.look(rows.map((row) => [row._id, `${row.owner} ${row.epoch} ${row.beat}`]));
    const share = Math.ceil(names.length / ((await countOthers()) + 1));
    const isOwn = ({ owner }: LeaseRow) => owner === instanceId;
    // no longer led from here since the beat
    await moveSome(rows.filter(isOwn).flatMap(toHeir), until);
    const others = startingAt(
      rows.filter((row) => !isOwn(row)),
      instanceId,
    );
    const isDead = ({ _id, owner }: LeaseRow) => owner !== null && leasesSeen.stillFor(_id) >= ttlMs;
    const inherited = await moveSome(others.filter(isDead).map(toSelf), until);
    const promised = rows.filter(({ heir }) => heir === instanceId).length;
    const room = () => Math.max(0, share - promised - mine.size);
    const free = others.filter(({ owner }) => owner === null).slice(0, room());
    const found = await moveSome(free.map(toSelf), until);
    await ask(others.filter((row) => row.offered && !row.heir && !isDead(row)).slice(0, room()));
    await offer(rows, share);
    if (inherited + found > 0) logger.debug({ holds: mine.size, inherited, found }, 'leases moved');
  };

  const loop = createLoop({
    name: 'leases',
    everyMs: ttlMs / BEATS,
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
      if (passed.matchedCount > 0) return;
      mine.delete(name);
      throw new LeaseLost(`the lease of ${name} belongs to another instance`);
    },
    start: () => loop.tick(),
    loops: [loop],
    async release() {
      mine.clear();
      await Lease.updateMany(
        { owner: instanceId },
        { $set: { owner: null, offered: false, heir: null }, $inc: { beat: 1 } },
      );
      await Instance.deleteOne({ _id: instanceId });
    },
  };
}

const fenceId = (name: string, i: number): string => `${name}/${i}`;

/** The same rows, begun at a place of this instance's own: instances that start together reach for different ones. */
function startingAt<Row>(rows: readonly Row[], id: string): Row[] {
  const sum = [...id].reduce((total, letter) => total + letter.charCodeAt(0), 0);
  const at = rows.length === 0 ? 0 : sum % rows.length;
  return [...rows.slice(at), ...rows.slice(0, at)];
}
