import mongoose, { type Connection, type mongo } from 'mongoose';
import { createLogger } from '../../src/core/logger';
import { withDatabase } from '../../src/database/connect';
import { migrateUp } from '../../src/database/migrations';
import { startEmbeddedMongo } from '../../src/embedded-mongo';
import { startTestServer } from '../support/server';

/**
 * Every index is declared in its model and created by a migration: the indexes that the models of a whole server would
 * make on an empty database, those that the migrations make, and those of a running server are the same.
 */

type Indexes = Record<string, Record<string, object>>;

/** By collection and name, without what a server adds of its own. */
async function indexesOf(db: mongo.Db, collections: string[]): Promise<Indexes> {
  const found = await Promise.all(collections.map((name) => db.collection(name).indexes()));
  return Object.fromEntries(
    collections.map((collection, i) => [
      collection,
      Object.fromEntries((found[i] ?? []).map(({ name, v: _v, ns: _ns, ...rest }) => [name, rest])),
    ]),
  );
}

const database = (connection: Connection): mongo.Db => {
  if (!connection.db) throw new Error('not connected');
  return connection.db;
};

describe('indexes', () => {
  let embedded: Awaited<ReturnType<typeof startEmbeddedMongo>>;
  let models: Connection['models'];
  let running: Connection;
  let migrated: Connection;
  let declared: Connection;
  const names = () => [...new Set(Object.values(models).map((model) => model.collection.name))].sort();

  beforeAll(async () => {
    embedded = await startEmbeddedMongo({});
    const connect = (name: string) => {
      const uri = new URL(withDatabase(embedded.uri));
      uri.pathname = name;
      return mongoose.createConnection(uri.href, { autoIndex: false, autoCreate: false }).asPromise();
    };
    [migrated, declared] = await Promise.all([connect('migrated'), connect('declared')]);
    const before = new Set(mongoose.connections);
    await startTestServer();
    running = mongoose.connections.find((connection) => !before.has(connection)) as Connection;
    models = running.models;

    await migrateUp(migrated, createLogger({ level: 'silent', pretty: false }));
    for (const { modelName, schema, collection } of Object.values(models)) {
      const model = declared.model(modelName, schema, collection.name);
      await model.createCollection();
      await model.createIndexes();
    }
  });

  afterAll(async () => {
    await Promise.all([migrated.close(), declared.close()]);
    await embedded.stop();
  });

  it('belong to models, of which there is one for every collection that a migration makes', async () => {
    const made = (await database(migrated).listCollections().toArray()).map(({ name }) => name).sort();
    expect(made.filter((name) => !['migrations', 'migrationLocks'].includes(name))).toEqual(names());
  });

  it('are created by migrations as the models declare them', async () => {
    expect(await indexesOf(database(migrated), names())).toEqual(await indexesOf(database(declared), names()));
  });

  it('of a running server are those', async () => {
    expect(await indexesOf(database(running), names())).toEqual(await indexesOf(database(migrated), names()));
  });

  it('are not made by the models of a running server', () => {
    expect(running.get('autoIndex')).toBe(false);
    expect(running.get('autoCreate')).toBe(false);
  });
});
