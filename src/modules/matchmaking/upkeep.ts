import type { Clock } from '../../core/clock';
import { inTurn } from '../../core/in-turn';
import { inBatches } from '../../database/batches';
import type { Transact } from '../../database/transaction';
import { inParallel } from './in-parallel';
import type { MatchModel, MatchRow, TicketRow } from './matchmaking.models';
import { HOUR_MS, poolKey } from './matchmaking.policy';
import type { Pools } from './pools';
import type { TicketStore } from './tickets.store';
import type { Waits } from './waits';

/** What time does to tickets, and what keeps the memory in step with the database. */
export interface Upkeep {
  /** Queues scheduled tickets whose time has come. */
  openDue(): Promise<void>;
  /** Ends tickets whose time is over. A proposed ticket is left until its match is decided. */
  expireDue(): Promise<void>;
  /**
   * Takes in what changed since the last time without this instance hearing of it, and goes on with two walks: through the memory, to drop
   * what has ended elsewhere (in the moment between writing a ticket and taking it in, for one), and through the open tickets of
   * the database, to find what was written so long after its time stamp that nobody looked back so far (the database froze, say).
   */
  catchUp(): Promise<void>;
  /** Reads all queued tickets, and the waits of the last hour. */
  restore(): Promise<void>;
}

const BATCH = 1000;
/** Rows that are read at once, and taken in together. */
const READ = 500;
/** What the memory does not hold of a queued ticket, which is a third of it. */
const UNREAD = {
  submittedBy: 0,
  lobbyVersion: 0,
  state: 0,
  open: 0,
  scheduledFor: 0,
  expiresAt: 0,
  createdAt: 0,
  matchId: 0,
  reason: 0,
  updatedAt: 0,
  endedAt: 0,
};
/** What tells whether the memory knows a ticket as it is. */
const SEEN = { revision: 1, state: 1, updatedAt: 1 } as const;
type Seen = Pick<TicketRow, '_id' | keyof typeof SEEN>;
/** Open tickets of the database that are looked at each time. */
const STEP = 500;
/** Clocks of instances differ, and a write becomes visible after its time stamp: changes are looked for this far back. */
const OVERLAP_MS = 10_000;

export function createUpkeep({
  Matches,
  store,
  pools,
  waits,
  transact,
  outbox,
  clock,
}: {
  Matches: MatchModel;
  store: TicketStore;
  pools: Pools;
  waits: Waits;
  transact: Transact;
  outbox: { wake(): void };
  clock: Clock;
}): Upkeep {
  const { Tickets } = store;
  let seenUntil = 0;
  let walked = walkUntil(0);
  const inMemory = inTurn(() => [...pools.all()].map(({ id }) => id));

  /** Reads those again of which the database has something newer than the memory. */
  const takeIn = async (rows: readonly Seen[]) => {
    const news = rows.filter(({ _id, revision, state }) => {
      const known = pools.get(_id.toHexString());
      return state === 'queued' ? (known?.revision ?? -1) < revision : known !== undefined;
    });
    await pools.refresh(news.map(({ _id }) => _id.toHexString()));
  };

  /** Looks at the next of the database's open tickets. */
  const findMissed = async () => {
    const { from, skip, until } = walked;
    const rows = await Tickets.find({ open: true, updatedAt: { $gte: from, $lt: until } }, SEEN)
      .sort({ updatedAt: 1, _id: 1 })
      .skip(skip)
      .limit(STEP)
      .lean<Seen[]>();
    await takeIn(rows);
    walked = rows.length < STEP ? walkUntil(clock.now()) : stepOn(walked, rows);
  };

  /** Drops tickets that are no longer queued, of the next batch of those in memory. */
  const forgetEnded = async () => {
    const ids = inMemory(BATCH);
    if (ids.length === 0) return;
    const queued = await Tickets.find({ _id: { $in: ids }, state: 'queued' }, { _id: 1 }).lean();
    const known = new Set(queued.map((row) => row._id.toHexString()));
    for (const id of ids) if (!known.has(id)) pools.remove(id);
  };

  return {
    async openDue() {
      const now = new Date(clock.now());
      const due = await Tickets.find({ state: 'scheduled', scheduledFor: { $lte: now } }, { _id: 1 })
        .sort({ scheduledFor: 1 })
        .limit(BATCH)
        .lean();
      if (due.length === 0) return;
      const ids = due.map((row) => row._id);
      await Tickets.updateMany(
        { _id: { $in: ids }, state: 'scheduled' },
        { $set: { state: 'queued', queuedAt: now, updatedAt: now }, $inc: { revision: 1 } },
      );
      await pools.refresh(ids.map((id) => id.toHexString()));
    },

    async expireDue() {
      const due = await Tickets.find(
        { open: true, expiresAt: { $lte: new Date(clock.now()) }, state: { $in: ['queued', 'scheduled'] } },
        { _id: 1 },
      )
        .sort({ expiresAt: 1 })
        .limit(BATCH)
        .lean();
      if (due.length === 0) return;
      const end = { state: 'expired', reason: 'expired' } as const;
      await inParallel(due, 8, async ({ _id }) => {
        const ticketId = _id.toHexString();
        const ended = await transact((session) => store.end(session, ticketId, ['queued', 'scheduled'], end));
        if (ended) pools.remove(ticketId);
      });
      outbox.wake();
    },

    async catchUp() {
      const now = clock.now();
      const since = new Date(seenUntil - OVERLAP_MS);
      await takeIn(await Tickets.find({ open: true, updatedAt: { $gte: since } }, SEEN).lean<Seen[]>());
      seenUntil = now;
      await forgetEnded();
      await findMissed();
    },

    async restore() {
      seenUntil = clock.now();
      const { conn, collectionName: collection } = Tickets.collection;
      const queued = { collection, filter: { state: 'queued' }, projection: UNREAD, batchSize: READ };
      await pools.putAll(inBatches<TicketRow>(conn, queued));
      const recent = await Matches.find(
        { formedAt: { $gte: new Date(clock.now() - HOUR_MS) } },
        { gameId: 1, mode: 1, formedAt: 1, 'tickets.waitedMs': 1 },
      )
        .sort({ formedAt: -1 })
        .limit(5000)
        .lean<Pick<MatchRow, 'gameId' | 'mode' | 'formedAt' | 'tickets'>[]>();
      for (const { gameId, mode, formedAt, tickets } of recent.reverse())
        for (const { waitedMs } of tickets)
          waits.record(poolKey(gameId.toHexString(), mode), waitedMs, formedAt?.getTime() ?? 0);
    },
  };
}

/** Where a walk through the open tickets is, in the order of their changes: past `skip` of those at `from`. It ends at `until`, whatever comes meanwhile. */
interface Walk {
  from: Date;
  skip: number;
  until: Date;
}

const walkUntil = (now: number): Walk => ({ from: new Date(0), skip: 0, until: new Date(now) });

function stepOn({ from, skip, until }: Walk, rows: readonly Seen[]): Walk {
  const last = rows.at(-1)?.updatedAt ?? from;
  const alike = rows.filter(({ updatedAt }) => updatedAt.getTime() === last.getTime()).length;
  return { from: last, skip: last.getTime() === from.getTime() ? skip + alike : alike, until };
}
