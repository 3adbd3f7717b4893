import mongoose, { type ClientSession, type Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { manualClock } from '../core/clock';
import { createEventBus, type Fact } from '../core/event-bus';
import { systemIds } from '../core/ids';
import { createLogger } from '../core/logger';
import { createOutbox } from './outbox';
import { createTransact } from './transaction';

interface Events extends Record<string, object> {
  'thing.happened': { n: number };
}
type Told = Fact<Events['thing.happened']>;

/** A conflict with another transaction, as the database tells of it. */
class Transient extends mongoose.mongo.MongoError {
  constructor() {
    super('write conflict');
    this.addErrorLabel('TransientTransactionError');
  }
}

let connection: Connection;
beforeAll(async () => {
  connection = await testDatabase();
});
afterEach(() => connection.collection('outbox').deleteMany({}));

/** An instance of its own over the one database: bus, outbox and relay. */
function instance(clock = manualClock(), patienceMs?: number) {
  const logger = createLogger({ level: 'silent', pretty: false });
  const bus = createEventBus<Events>();
  const own = connection.useDb(connection.name);
  const outbox = createOutbox<Events>({
    connection: own,
    bus,
    clock,
    ids: systemIds,
    logger,
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  const told: number[] = [];
  const transact = createTransact(own);
  const append = (key: string, ...numbers: number[]) =>
    transact(async (session) => {
      for (const n of numbers) await outbox.append(session, 'thing.happened', key, { n });
    });
  /** Of a key that nothing was told of before. */
  const begin = (key: string, n: number) =>
    transact((session) => outbox.appendAll(session, [{ type: 'thing.happened', key, payload: { n }, isFirst: true }]));
  const listen = (handler: (fact: Told) => unknown) => bus.on('thing.happened', handler);
  const remember = () => listen(({ payload }) => told.push(payload.n));
  return { clock, outbox, told, transact, append, begin, listen, remember, tick: () => outbox.relay.tick() };
}

describe('the outbox', () => {
  test('tells what was committed, in order and once', async () => {
    const { append, tick, told, remember } = instance();
    remember();
    await append('a', 1, 2, 3);
    await tick();
    await tick();
    expect(told).toEqual([1, 2, 3]);
  });

  test('tells nothing of a transaction that was taken back', async () => {
    const { outbox, transact, tick, told, remember } = instance();
    remember();
    const taken = transact(async (session) => {
      await outbox.append(session, 'thing.happened', 'a', { n: 1 });
      throw new Error('changed my mind');
    });
    await expect(taken).rejects.toThrow('changed my mind');
    await tick();
    expect(told).toEqual([]);
  });

  test('tells what another instance had committed before it died', async () => {
    const dead = instance();
    await dead.append('a', 1, 2);
    const heir = instance(dead.clock);
    heir.remember();
    await heir.tick();
    expect(heir.told).toEqual([1, 2]);
  });

  test('takes over what a dead instance had claimed, after the claim has run out', async () => {
    const { append, tick, told, remember, clock } = instance();
    remember();
    await append('a', 1);
    const claimed = { claim: 'of a relay that died', notBefore: new Date(clock.now() + 30_000) };
    await connection.collection('outbox').updateMany({}, { $set: claimed });
    await append('a', 2);
    await tick();
    expect(told).toEqual([]);
    clock.advance(30_000);
    await tick();
    expect(told).toEqual([1, 2]);
  });

  test('keeps its claim for as long as it works, however long that is', async () => {
    const slow = instance();
    const rival = instance(slow.clock);
    rival.remember();
    await slow.append('a', 1);
    let finish: () => void = () => undefined;
    slow.listen(() => new Promise<void>((resolve) => (finish = resolve)));
    const telling = slow.tick();
    const held = async () => (await connection.collection('outbox').findOne())?.['notBefore'] as Date;
    const before = slow.clock.now();
    while ((await held()).getTime() === before) await new Promise(setImmediate);
    const first = await held();
    slow.clock.advance(3_000);
    while ((await held()).getTime() === first.getTime()) await new Promise(setImmediate);
    slow.clock.advance(3_000);
    await rival.tick();
    expect(rival.told).toEqual([]);
    finish();
    await telling;
    expect(await connection.collection('outbox').countDocuments({ deliveredAt: null })).toBe(0);
  });

  test('tells again what a subscriber failed on, with the same event id, and the later facts of its key only then', async () => {
    const { append, tick, told, remember, listen, clock } = instance();
    let broken = true;
    const seen: string[] = [];
    listen(({ eventId, payload }) => {
      if (payload.n !== 1) return;
      seen.push(eventId);
      if (broken) throw new Error('not now');
    });
    await append('a', 1, 2);
    await tick();
    remember();
    await append('a', 3);
    await append('b', 10);
    await tick();
    expect(told).toEqual([10]);
    broken = false;
    clock.advance(499);
    await tick();
    expect(told).toEqual([10]);
    clock.advance(1);
    await tick();
    expect(told).toEqual([10, 1, 2, 3]);
    expect(seen).toEqual([seen[0], seen[0]]);
  });

  test('waits longer after every failure, up to a minute', async () => {
    const { append, tick, listen, clock } = instance();
    const at: number[] = [];
    const start = clock.now();
    listen(() => {
      at.push(clock.now() - start);
      throw new Error('never');
    });
    await append('a', 1);
    for (let second = 0; second < 200; second++) {
      await tick();
      clock.advance(500);
    }
    const pauses = at.slice(1).map((time, i) => time - at[i]!);
    expect(pauses.slice(0, 6)).toEqual([500, 1000, 2000, 4000, 8000, 16_000]);
    expect(at.length).toBeLessThan(10);
  });

  test('one subscriber that hangs does not hold up other keys', async () => {
    const { append, tick, listen, told, remember } = instance(manualClock(), 50);
    listen(({ payload }) => (payload.n === 1 ? new Promise(() => undefined) : undefined));
    await append('a', 1);
    await append('b', 2);
    remember();
    await tick();
    const row = await connection.collection('outbox').findOne({ key: 'a' });
    expect(row).toMatchObject({ deliveredAt: null, claim: null, attempts: 1 });
    expect(await connection.collection('outbox').findOne({ key: 'b' })).toMatchObject({
      deliveredAt: expect.any(Date),
    });
    expect(told).toContain(2);
  });

  test('a key with more failed facts than a batch holds does not hold up other keys', async () => {
    const { append, tick, listen, told, remember } = instance();
    listen(({ payload }) => {
      if (payload.n < 1000) throw new Error('never');
    });
    for (let i = 0; i < 6; i++) await append('a', ...Array.from({ length: 100 }, (_, n) => i * 100 + n));
    await tick();
    await append('b', 1000);
    remember();
    await tick();
    expect(told).toContain(1000);
  });

  test('keeps the order of a key over many batches', async () => {
    const { append, tick, told, remember } = instance();
    remember();
    const numbers = Array.from({ length: 1200 }, (_, n) => n);
    for (let from = 0; from < numbers.length; from += 300) await append('a', ...numbers.slice(from, from + 300));
    await tick();
    expect(told).toEqual(numbers);
  });

  test('two relays at once tell every fact once, and each key in order', async () => {
    const clock = manualClock();
    const relays = [instance(clock), instance(clock)];
    const told: { key: number; n: number }[] = [];
    for (const relay of relays)
      relay.listen(async ({ payload: { n } }) => {
        await new Promise(setImmediate);
        told.push({ key: Math.floor(n / 1000), n });
      });
    const outstanding = () => connection.collection('outbox').countDocuments({ deliveredAt: null });
    for (let round = 0; round < 10; round++)
      for (let key = 0; key < 8; key++)
        await relays[key % 2]!.append(`key ${key}`, key * 1000 + 2 * round, key * 1000 + 2 * round + 1);
    for (let i = 0; i < 50 && (await outstanding()) > 0; i++) {
      await Promise.all(relays.map((relay) => relay.tick()));
      clock.advance(100);
    }
    expect(told).toHaveLength(160);
    for (let key = 0; key < 8; key++)
      expect(told.filter((fact) => fact.key === key).map((fact) => fact.n % 1000)).toEqual(
        Array.from({ length: 20 }, (_, n) => n),
      );
  });

  describe('of a fact that begins its key', () => {
    test('lets its writer tell it, and no other relay as long as that one may be about to', async () => {
      const writer = instance();
      const rival = instance(writer.clock);
      for (const each of [writer, rival]) each.remember();
      await writer.begin('a', 1);
      await rival.tick();
      expect(rival.told).toEqual([]);
      await writer.tick();
      expect(writer.told).toEqual([1]);
      expect(await connection.collection('outbox').countDocuments({ deliveredAt: null })).toBe(0);
    });

    test("tells it by another relay once a dead writer's claim has run out", async () => {
      const dead = instance();
      await dead.begin('a', 1);
      const heir = instance(dead.clock);
      heir.remember();
      dead.clock.advance(3_999);
      await heir.tick();
      expect(heir.told).toEqual([]);
      dead.clock.advance(1);
      await heir.tick();
      expect(heir.told).toEqual([1]);
    });

    test('tells many of them side by side: the last ones do not wait for the first', async () => {
      const { outbox, transact, listen, tick, told } = instance();
      let last: () => void = () => undefined;
      const lastIsTold = new Promise<void>((resolve) => (last = resolve));
      listen(async ({ payload: { n } }) => {
        if (n === 0) await lastIsTold;
        told.push(n);
        if (n === 249) last();
      });
      const facts = Array.from({ length: 250 }, (_, n) => ({
        type: 'thing.happened' as const,
        key: `key ${n}`,
        payload: { n },
        isFirst: true,
      }));
      await transact((session) => outbox.appendAll(session, facts));
      await tick();
      expect(told).toHaveLength(250);
      expect(told.at(-1)).toBe(0);
    });

    test('leaves it to the others at once when its writer stops', async () => {
      const stopping = instance();
      await stopping.begin('a', 1);
      await stopping.outbox.relay.stop();
      await stopping.begin('b', 2);
      const heir = instance(stopping.clock);
      heir.remember();
      await heir.tick();
      expect(heir.told.sort()).toEqual([1, 2]);
    });

    test('tells nothing of it where it is taken back, and once where its transaction runs again', async () => {
      const { outbox, transact, tick, told, remember } = instance();
      remember();
      const begin = (session: ClientSession, n: number) =>
        outbox.appendAll(session, [{ type: 'thing.happened', key: `key ${n}`, payload: { n }, isFirst: true }]);
      const taken = transact(async (session) => {
        await begin(session, 1);
        throw new Error('changed my mind');
      });
      await expect(taken).rejects.toThrow('changed my mind');
      let tries = 0;
      await transact(async (session) => {
        await begin(session, 2);
        if (tries++ === 0) throw new Transient();
      });
      await tick();
      expect(told).toEqual([2]);
    });

    test('tells what comes after it, from wherever, only after it', async () => {
      const writer = instance();
      const other = instance(writer.clock);
      const told: number[] = [];
      for (const { listen } of [writer, other]) listen(({ payload }) => told.push(payload.n));
      await writer.begin('a', 1);
      await other.append('a', 2);
      await other.tick();
      expect(told).toEqual([]);
      await writer.tick();
      writer.clock.advance(100);
      await other.tick();
      expect(told).toEqual([1, 2]);
    });

    test('tells again what a subscriber failed on', async () => {
      const { begin, tick, listen, remember, told, clock } = instance();
      let broken = true;
      listen(() => {
        if (broken) throw new Error('not now');
      });
      await begin('a', 1);
      await tick();
      broken = false;
      remember();
      clock.advance(500);
      await tick();
      expect(told).toEqual([1]);
    });

    test('gives back what it did not get round to in time, and tells it only if nobody else does', async () => {
      const late = instance();
      const rival = instance(late.clock);
      for (const each of [late, rival]) each.remember();
      await late.begin('a', 1);
      late.clock.advance(3_000);
      await late.tick();
      expect(late.told).toEqual([1]);
      await late.begin('b', 2);
      late.clock.advance(4_000);
      await rival.tick();
      await late.tick();
      expect([late.told, rival.told]).toEqual([[1], [2]]);
    });

    test('claims no more of them while it is behind: others may have the time', async () => {
      const slow = instance();
      const rival = instance(slow.clock);
      rival.remember();
      await slow.begin('a', 1);
      slow.clock.advance(2_000);
      await slow.begin('b', 2);
      await rival.tick();
      expect(rival.told).toEqual([2]);
    });
  });
});
