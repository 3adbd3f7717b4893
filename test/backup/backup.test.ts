import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Binary,
  BSON,
  BSONRegExp,
  Decimal128,
  Double,
  Int32,
  Long,
  MaxKey,
  MinKey,
  MongoClient,
  ObjectId,
  Timestamp,
  UUID,
  type Db,
} from 'mongodb';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { dump } from '../../scripts/backup/dump';
import { unwrap, wrap } from '../../scripts/backup/envelope';
import { check, load } from '../../scripts/backup/load';
import { keepNewest, nameAt, verified } from '../../scripts/backup/place';
import { findBackup, openPlace } from '../../scripts/backup/places';
import { BackupError, decode } from '../../scripts/backup/records';

/** What a backup holds, and what becomes of it: on a real database, in real files. */

let client: MongoClient;
let stop: () => Promise<void>;
let folder: string;
let databases = 0;

beforeAll(async () => {
  const server = await startEmbeddedMongo({});
  client = await new MongoClient(server.uri).connect();
  stop = () => server.stop();
  folder = await mkdtemp(join(tmpdir(), 'maoga-backup-'));
});
afterAll(async () => {
  await client.close();
  await stop();
  await rm(folder, { recursive: true });
});

const newDatabase = (): Db => client.db(`d${(databases += 1)}`);

async function bytesOf(parts: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const part of parts) all.push(part);
  return Buffer.concat(all);
}

/** In pieces of that many bytes: no reader may count on where a stream is cut. */
async function* inPieces(bytes: Buffer, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

const backUp = (db: Db, passphrase?: string) => bytesOf(wrap(dump(client, db), passphrase));
const restore = (db: Db, file: Buffer, passphrase?: string) =>
  load(db, decode(unwrap(inPieces(file, 1009), passphrase)));

const EVERY_TYPE = {
  _id: new ObjectId('65f000000000000000000001'),
  int: new Int32(7),
  wholeDouble: new Double(7),
  negativeZero: new Double(-0),
  notANumber: new Double(NaN),
  long: Long.fromString('9007199254740993'),
  smallLong: Long.fromNumber(1),
  decimal: Decimal128.fromString('1.10'),
  text: 'naïve 🎲 \u0000 inside',
  bytes: new Binary(Buffer.from([0, 1, 255]), 5),
  uuid: new UUID('6ba7b810-9dad-11d1-80b4-00c04fd430c8'),
  date: new Date(-1),
  pattern: new BSONRegExp('^a', 'im'),
  stamp: new Timestamp({ t: 5, i: 6 }),
  nothing: null,
  low: new MinKey(),
  high: new MaxKey(),
  list: [[], {}, [new Int32(1)]],
  deep: { 'a.b': 1, $odd: { ref: 1 } },
};

const raw = (db: Db, name: string) =>
  db
    .collection(name)
    .find({}, { raw: true, sort: { _id: 1 } })
    .toArray();

describe('a backup', () => {
  it('gives every document back byte for byte, with options and indexes', async () => {
    const from = newDatabase();
    await from.createCollection('people');
    await from.collection('things').insertOne(EVERY_TYPE);
    await from.collection('things').insertMany(Array.from({ length: 2500 }, (_, n) => ({ n, at: new Date(n) })));
    await from.collection('things').createIndexes([
      { key: { n: 1, at: -1 }, name: 'both' },
      { key: { slug: 1 }, unique: true, partialFilterExpression: { slug: { $exists: true } } },
      { key: { text: 1 }, collation: { locale: 'en', strength: 2 } },
      { key: { ends: 1 }, expireAfterSeconds: 5 },
    ]);
    const to = newDatabase();
    const { expected, taken } = await restore(to, await backUp(from));

    expect(taken).toEqual(expected);
    expect(expected).toEqual({ people: 0, things: 2501 });
    expect(await raw(to, 'things')).toEqual(await raw(from, 'things'));
    expect(await to.collection('things').indexes()).toEqual(await from.collection('things').indexes());
  });

  it('is of one moment, while others write', async () => {
    const from = newDatabase();
    const accounts = (name: string) => from.collection<{ _id: number; coins: number }>(name);
    for (const name of ['left', 'right'])
      await accounts(name).insertMany(Array.from({ length: 1500 }, (_, _id) => ({ _id, coins: 1 })));
    let over = false;
    let moved = 0;
    const mover = (async () => {
      for (let n = 0; !over; n = (n + 1) % 1500)
        await client.withSession((session) =>
          session.withTransaction(async () => {
            await accounts('left').updateOne({ _id: n }, { $inc: { coins: -1 } }, { session });
            await accounts('right').updateOne({ _id: n }, { $inc: { coins: 1 } }, { session });
            moved += 1;
          }),
        );
    })();
    const before = moved;
    const file = await backUp(from);
    expect(moved).toBeGreaterThan(before);
    over = true;
    await mover;

    const to = newDatabase();
    await restore(to, file);
    const all = [...(await to.collection('left').find().toArray()), ...(await to.collection('right').find().toArray())];
    expect(all.reduce((sum, { coins }) => sum + coins, 0)).toBe(3000);
  });

  it('is read by nobody without its passphrase', async () => {
    const from = newDatabase();
    await from.collection('secrets').insertMany(Array.from({ length: 100 }, () => ({ word: 'canary-word' })));
    const file = await backUp(from, 'correct horse battery');
    expect(file.includes('canary-word')).toBe(false);
    expect(await backUp(from)).not.toEqual(file);

    await expect(restore(newDatabase(), file)).rejects.toThrow('set BACKUP_PASSPHRASE');
    await expect(restore(newDatabase(), file, 'another horse battery')).rejects.toThrow(BackupError);
    expect((await restore(newDatabase(), file, 'correct horse battery')).taken).toEqual({ secrets: 100 });
  });

  it.each([undefined, 'correct horse battery'])(
    'that is cut off or changed anywhere is found out before anything is written (passphrase: %s)',
    async (passphrase) => {
      const from = newDatabase();
      await from.collection('things').insertMany(Array.from({ length: 50 }, (_, n) => ({ n, word: 'x'.repeat(n) })));
      const file = await backUp(from, passphrase);
      const read = (bytes: Buffer) => check(decode(unwrap(inPieces(bytes, 7), passphrase)));
      await expect(read(file)).resolves.toEqual({ things: 50 });

      for (const length of [0, 1, 14, 15, 20, 60, file.length - 17, file.length - 1])
        await expect(read(file.subarray(0, length))).rejects.toThrow(BackupError);
      for (const at of [0, 14, 16, 40, 70, file.length - 20, file.length - 5]) {
        const changed = Buffer.from(file);
        changed[at] = (changed[at] ?? 0) ^ 0x40;
        await expect(read(changed)).rejects.toThrow();
      }
    },
  );

  it('refuses what it cannot hold', async () => {
    const records = async function* () {
      yield Buffer.concat([Buffer.from('Z'), BSON.serialize({})]);
    };
    await expect(check(decode(records()))).rejects.toThrow('no backup, or it is damaged');
    const huge = async function* () {
      yield Buffer.from([0x44, 0xff, 0xff, 0xff, 0x7f, 0]);
    };
    await expect(check(decode(huge()))).rejects.toThrow('no backup, or it is damaged');
  });
});

describe('a folder of backups', () => {
  const bytes = async function* (text: string) {
    yield Buffer.from(text);
  };

  it('keeps the newest, each with a checksum that sha256sum reads', async () => {
    const at = join(folder, 'kept');
    const place = openPlace(at);
    expect(await place.list()).toEqual([]);
    for (const day of [1, 2, 3]) await place.write(nameAt(new Date(Date.UTC(2026, 0, day))), bytes(`day ${day}`));
    expect(await keepNewest(place, 2)).toEqual(['maoga-2026-01-01T00-00-00-000Z.backup']);
    expect(await readFile(join(at, 'maoga-2026-01-02T00-00-00-000Z.backup.sha256'), 'utf8')).toMatch(
      /^[0-9a-f]{64} {2}maoga-2026-01-02T00-00-00-000Z\.backup\n$/,
    );
    expect(await findBackup(at)).toMatchObject({ name: 'maoga-2026-01-03T00-00-00-000Z.backup' });
    const whole = join(at, 'maoga-2026-01-02T00-00-00-000Z.backup');
    const { place: same, name } = await findBackup(whole);
    expect((await bytesOf(verified(same, name))).toString()).toBe('day 2');
    await writeFile(whole, 'day 9');
    await expect(bytesOf(verified(same, name))).rejects.toThrow('not what its checksum says');
    await expect(findBackup(join(folder, 'nowhere'))).rejects.toThrow('There is no backup in');
  });

  it('holds nothing of a backup that failed', async () => {
    const at = join(folder, 'failed');
    const place = openPlace(at);
    const failing = async function* () {
      yield Buffer.from('half');
      throw new Error('the database went away');
    };
    await expect(place.write(nameAt(new Date(0)), failing())).rejects.toThrow('went away');
    expect(await readdir(at)).toEqual([]);
  });
});
