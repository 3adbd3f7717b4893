import type { Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { createLogger } from '../core/logger';
import { createLeaseModels, createLeases, LeaseLost, type LeaseModels, type Leases } from './leases';
import { createTransact, type Transact } from './transaction';

const TTL = 1000;
const NAMES = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const logger = createLogger({ level: 'silent', pretty: false });

let connection: Connection;
let models: LeaseModels;
let transact: Transact;
let time = 0;
const monotonic = () => time;

beforeAll(async () => {
  connection = await testDatabase();
  transact = createTransact(connection);
  models = createLeaseModels(connection);
});

beforeEach(async () => {
  const { Lease, Instance, Fence } = models;
  await Promise.all([Lease.deleteMany(), Instance.deleteMany(), Fence.deleteMany()]);
});

const instance = (instanceId: string, now = monotonic): Leases =>
  createLeases({ models, transact, logger, instanceId, names: NAMES, ttlMs: TTL, monotonic: now });

/** Takes everything over in a moment in which no time passes for anybody else: as if all of them had been paused. */
async function takeOver(instanceId: string): Promise<Leases> {
  let passed = 0;
  const heir = instance(instanceId, () => time + passed);
  await heir.loops[0]!.tick();
  passed = TTL;
  await heir.loops[0]!.tick();
  return heir;
}

/** Everybody beats, several times within one TTL, so that shares settle. */
async function settle(...instances: Leases[]): Promise<void> {
  for (let i = 0; i < 8; i++) {
    for (const each of instances) await each.loops[0]!.tick();
    time += TTL / 4;
  }
}

test('one instance holds everything', async () => {
  const one = instance('one');
  await one.loops[0]!.tick();
  expect(one.held().sort()).toEqual(NAMES);
});

test('instances share the names out evenly, each name once, when one joins and when one leaves', async () => {
  const [one, two, three] = [instance('one'), instance('two'), instance('three')];
  await settle(one);
  await settle(one, two, three);
  expect([one, two, three].flatMap((each) => each.held()).sort()).toEqual(NAMES);
  for (const each of [one, two, three]) expect(each.held().length).toBeGreaterThanOrEqual(1);
  for (const each of [one, two, three]) expect(each.held().length).toBeLessThanOrEqual(3);
  await three.release();
  // no time passes: what is given back need not be waited for
  for (const each of [one, two, one, two]) await each.loops[0]!.tick();
  expect([one, two].flatMap((each) => each.held()).sort()).toEqual(NAMES);
  await settle(one, two);
  expect([one, two].flatMap((each) => each.held()).sort()).toEqual(NAMES);
});

test('what a dead instance held is taken over within two TTLs, and not before one has passed', async () => {
  const [dead, heir] = [instance('dead'), instance('heir')];
  await settle(dead, heir);
  const orphaned = dead.held();
  expect(orphaned.length).toBeGreaterThan(0);
  await dead.loops[0]!.tick();
  const died = time;
  while (heir.held().length < NAMES.length) {
    for (const name of orphaned) if (heir.holds(name)) expect(dead.holds(name)).toBe(false);
    time += TTL / 4;
    await heir.loops[0]!.tick();
    expect(time - died).toBeLessThanOrEqual(2 * TTL);
  }
  expect(time - died).toBeGreaterThanOrEqual(TTL);
});

test('what a dead instance held is led again within one and a half TTLs, also where one has joined who does not know yet who is dead', async () => {
  const [dead, heir, newcomer] = [instance('dead'), instance('heir'), instance('newcomer')];
  await settle(dead, heir);
  await dead.loops[0]!.tick();
  const died = time;
  while (time < died + 1.5 * TTL) {
    time += TTL / 4;
    await heir.loops[0]!.tick();
    await newcomer.loops[0]!.tick();
  }
  expect([...heir.held(), ...newcomer.held()].sort()).toEqual(NAMES);
});

test('shares change hands by agreement: never two lead the same, and nobody leads it for one beat at most', async () => {
  const [one, two] = [instance('one'), instance('two')];
  await settle(one);
  const missing: number[] = [];
  for (let i = 0; i < 8; i++) {
    for (const each of [one, two]) {
      await each.loops[0]!.tick();
      const led = [...one.held(), ...two.held()];
      expect(led).toHaveLength(new Set(led).size);
      missing.push(NAMES.length - led.length);
    }
    time += TTL / 4;
  }
  expect(two.held()).toHaveLength(3);
  expect(missing.filter((count) => count > 0)).toEqual([3]);
});

/** Lives, as far as the others can see, and does nothing else. */
const signOfLife = (_id: string) =>
  models.Instance.bulkWrite([{ updateOne: { filter: { _id }, update: { $inc: { beat: 1 } }, upsert: true } }]);

test('what is beyond the share is led on for as long as nobody asks for it', async () => {
  const one = instance('one');
  await settle(one);
  for (let i = 0; i < 8; i++) {
    await signOfLife('two');
    await one.loops[0]!.tick();
    expect(one.held().sort()).toEqual(NAMES);
    time += TTL / 4;
  }
  expect(await models.Lease.countDocuments({ owner: 'one', offered: true })).toBe(3);
});

test('what was handed over to one that died at that moment is taken back after a TTL', async () => {
  const one = instance('one');
  await settle(one);
  for (let i = 0; i < 3; i++) {
    await signOfLife('two');
    await one.loops[0]!.tick();
    time += TTL / 4;
  }
  await models.Lease.updateMany({ offered: true }, { $set: { heir: 'two' } });
  await one.loops[0]!.tick();
  expect(one.held()).toHaveLength(4);
  expect(await models.Lease.countDocuments({ owner: 'two', heir: null })).toBe(3);
  await settle(one);
  expect(one.held().sort()).toEqual(NAMES);
});

test('a lease that the transaction of a dead process has locked holds up neither the others nor the own ones', async () => {
  const [dead, heir] = [instance('dead'), instance('heir')];
  await settle(dead, heir);
  const [locked, ...others] = dead.held();
  const session = await connection.startSession();
  session.startTransaction();
  await dead.fence(session, locked!);
  await heir.loops[0]!.tick();
  time += TTL;
  await heir.loops[0]!.tick();
  expect(heir.held().sort()).toEqual(NAMES.filter((name) => name !== locked));
  expect(others.length).toBeGreaterThan(0);
  await session.abortTransaction();
  await session.endSession();
  await heir.loops[0]!.tick();
  expect(heir.held().sort()).toEqual(NAMES);
});

test('a lease that was not renewed for a TTL is not trusted by its own holder', async () => {
  const one = instance('one');
  await one.loops[0]!.tick();
  time += TTL;
  expect(one.holds('a')).toBe(false);
  await expect(transact((session) => one.fence(session, 'a'))).rejects.toThrow(LeaseLost);
});

test('a holder that was paused through a takeover does not get past the fence, even while it believes in its lease', async () => {
  const paused = instance('paused');
  await paused.loops[0]!.tick();
  const heir = await takeOver('heir');
  expect(paused.holds('a')).toBe(true);
  await expect(transact((session) => paused.fence(session, 'a'))).rejects.toThrow(LeaseLost);
  await transact((session) => heir.fence(session, 'a'));
});

test('a transaction that was past the fence when the lease moved does not commit', async () => {
  const paused = instance('paused');
  await paused.loops[0]!.tick();
  const marks = connection.collection<{ _id: string }>('marks');
  await marks.deleteMany({});
  const session = await connection.startSession();
  session.startTransaction({ readConcern: { level: 'snapshot' } });
  await marks.insertOne({ _id: 'stale' }, { session });
  await models.Lease.findById('a').session(session).lean(); // the snapshot is from before the takeover
  await takeOver('heir');
  await expect(paused.fence(session, 'a').then(() => session.commitTransaction())).rejects.toThrow();
  await session.abortTransaction().catch(() => undefined);
  await session.endSession();
  expect(await marks.countDocuments()).toBe(0);
});

test('transactions of one holder pass the fence side by side', async () => {
  const one = instance('one');
  await one.loops[0]!.tick();
  await Promise.all(Array.from({ length: 40 }, () => transact((session) => one.fence(session, 'a'))));
  const rows = await models.Fence.find({ lease: 'a' }).lean();
  expect(rows.reduce((sum, row) => sum + row.commits, 0)).toBe(40);
});
