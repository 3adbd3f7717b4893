/** mongoose and migrate-mongo, as applications use them. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as MigrateMongo from 'migrate-mongo';
import mongoose, { Schema, type Connection } from 'mongoose';
import { useDatabase, type AnyDoc } from '../testing/database';

const database = useDatabase();

let connection: Connection;

beforeAll(async () => {
  const options = { dbName: database.db.databaseName, autoIndex: false, autoCreate: false };
  connection = await mongoose.createConnection(database.uri, options).asPromise();
});
afterAll(() => connection.close());

describe('mongoose', () => {
  it('syncIndexes a second time has nothing to do, and drops what the schema no longer has', async () => {
    const schema = new Schema({ email: String, name: String, at: Date, open: Boolean });
    schema.index({ email: 1 }, { unique: true, sparse: true });
    schema.index({ name: 1 }, { unique: true, collation: { locale: 'en', strength: 2 } });
    schema.index({ at: 1 }, { expireAfterSeconds: 60 });
    schema.index({ open: 1, name: -1 }, { partialFilterExpression: { open: true } });
    const model = connection.model('Synced', schema);
    await model.syncIndexes();
    const made = (await model.listIndexes()).map(({ name }: AnyDoc) => name);
    expect(made).toEqual(['_id_', 'email_1', 'name_1', 'at_1', 'open_1_name_-1']);
    expect(await model.syncIndexes()).toEqual([]);
    expect(await model.diffIndexes()).toEqual({ toDrop: [], toCreate: [] });
    connection.deleteModel('Synced');
    const fewer = connection.model('Synced', new Schema({ email: String }).index({ email: 1 }, { unique: true, sparse: true })); // prettier-ignore
    expect((await fewer.syncIndexes()).sort()).toEqual(['at_1', 'name_1', 'open_1_name_-1']);
    expect((await fewer.listIndexes()).map(({ name }: AnyDoc) => name)).toEqual(['_id_', 'email_1']);
  });

  it('saves, populates and updates subdocuments with timestamps', async () => {
    const Team = connection.model('Team', new Schema({ name: String }));
    const item = new Schema({ kind: String, n: { type: Number, default: 0 } }, { timestamps: true });
    const schema = new Schema({ name: { type: String, required: true }, team: { type: Schema.Types.ObjectId, ref: 'Team' }, items: [item], tags: { type: Map, of: Number } }, { timestamps: true, optimisticConcurrency: true }); // prettier-ignore
    const Player = connection.model('Player', schema);
    const team = await Team.create({ name: 'red' });
    const player = await Player.create({
      name: 'Ada',
      team: team._id,
      items: [{ kind: 'a' }, { kind: 'b' }],
      tags: { x: 1 },
    });
    player.set('tags.y', 2);
    player.items[1]!.n = 5;
    await player.save();
    await Player.updateOne({ _id: player._id, 'items.kind': 'a' }, { $inc: { 'items.$.n': 7 } });
    const found = await Player.findOne({ name: /^ada$/i }).populate('team').lean<AnyDoc>();
    expect(found).toMatchObject({ team: { name: 'red' }, items: [{ kind: 'a', n: 7 }, { kind: 'b', n: 5 }], tags: { x: 1, y: 2 } }); // prettier-ignore
    expect(found.items[0].updatedAt.getTime()).toBeGreaterThanOrEqual(found.items[0].createdAt.getTime());
    const [one, two] = [await Player.findById(player._id).orFail(), await Player.findById(player._id).orFail()];
    one.name = 'first';
    await one.save();
    two.name = 'second';
    await expect(two.save()).rejects.toThrow(mongoose.Error.VersionError);
  });

  it('rolls back documents and their versions with connection.transaction', async () => {
    const Thing = connection.model('Thing', new Schema({ n: Number }));
    const thing = await Thing.create({ n: 1 });
    const failed = connection.transaction(async (session) => {
      thing.n = 2;
      await thing.save({ session });
      await Thing.create([{ n: 3 }], { session });
      throw new Error('change of mind');
    });
    await expect(failed).rejects.toThrow('change of mind');
    expect(await Thing.find().lean()).toMatchObject([{ n: 1 }]);
    await thing.save();
    expect(await Thing.findById(thing._id).lean()).toMatchObject({ n: 2 });
  });

  it('walks a cursor, writes in bulk, and tells duplicates from other errors', async () => {
    const Row = connection.model('Row', new Schema({ key: { type: String, unique: true }, n: Number }));
    await Row.createIndexes();
    await Row.insertMany(Array.from({ length: 250 }, (_, n) => ({ key: `k${n}`, n })));
    let sum = 0;
    for await (const row of Row.find({ n: { $lt: 200 } }).sort({ n: 1 }).cursor({ batchSize: 30 })) sum += row.n ?? 0; // prettier-ignore
    expect(sum).toBe((199 * 200) / 2);
    await expect(Row.create({ key: 'k7' })).rejects.toMatchObject({ code: 11000, keyValue: { key: 'k7' } });
    const result = await Row.bulkWrite([
      { updateOne: { filter: { key: 'k1' }, update: { $set: { n: -1 } } } },
      { updateOne: { filter: { key: 'new' }, update: { $set: { n: 1 } }, upsert: true } },
    ]);
    expect([result.modifiedCount, result.upsertedCount]).toEqual([1, 1]);
  });
});

describe('migrate-mongo', () => {
  let directory: string;
  let migrateMongo: typeof MigrateMongo;
  beforeAll(async () => {
    migrateMongo = await import('migrate-mongo');
    directory = await mkdtemp(join(tmpdir(), 'embedded-mongo-migrations-'));
    const migration = (up: string, down: string) => `module.exports = { async up(db, client) { ${up} }, async down(db) { ${down} } };`; // prettier-ignore
    const inTransaction = 'await client.withSession((session) => session.withTransaction(async () => { await db.collection("b").insertOne({ n: 1 }, { session }); }));'; // prettier-ignore
    await writeFile(join(directory, '1-index.js'), migration('await db.collection("a").createIndex({ x: 1 }, { unique: true });', 'await db.collection("a").dropIndex("x_1");')); // prettier-ignore
    await writeFile(join(directory, '2-data.js'), migration(inTransaction, 'await db.collection("b").drop();'));
    migrateMongo.config.set({ migrationsDir: directory, changelogCollectionName: 'changelog', lockCollectionName: 'locks', lockTtl: 60, migrationFileExtension: '.js', useFileHash: false, moduleSystem: 'commonjs' }); // prettier-ignore
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('goes up, tells the status, and down again', async () => {
    const client = connection.getClient();
    const db = client.db(`${database.db.databaseName}_m`);
    const pending = async () =>
      (await migrateMongo.status(db)).filter(({ appliedAt }) => appliedAt === 'PENDING').map(({ fileName }) => fileName); // prettier-ignore
    expect(await pending()).toEqual(['1-index.js', '2-data.js']);
    expect(await migrateMongo.up(db, client)).toEqual(['1-index.js', '2-data.js']);
    expect(await pending()).toEqual([]);
    expect([(await db.collection('a').indexes()).length, await db.collection('b').countDocuments()]).toEqual([2, 1]);
    expect(await migrateMongo.down(db, client)).toEqual(['2-data.js']);
    expect(await pending()).toEqual(['2-data.js']);
    expect(await db.listCollections({ name: 'b' }).toArray()).toEqual([]);
    await db.dropDatabase();
  });
});
