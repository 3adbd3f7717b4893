/**
 * What the tests named mongodb-*.test.ts run on: the server at MONGODB_URI (a replica set) where that is given, so that the same files can be held
 * against a real MongoDB; else an embedded one that they start. Each file has a database of its own, dropped afterwards.
 */
import { ObjectId } from 'bson';
import { MongoClient, type Collection, type Db, type MongoClientOptions } from 'mongodb';
import { startEmbeddedMongo } from '../index';

/* eslint-disable-next-line @typescript-eslint/no-explicit-any -- documents of any shape */
export type AnyDoc = any;
export type AnyCollection = Collection<AnyDoc>;

/** Usable inside tests and hooks only. */
export interface TestDatabase {
  readonly uri: string;
  readonly client: MongoClient;
  readonly db: Db;
  /** A new and empty collection that holds these documents. */
  collection(docs?: AnyDoc[]): Promise<AnyCollection>;
}

/** Where a real server was given, the tests run on that. */
/* eslint-disable-next-line no-restricted-properties -- the one setting of these tests; this folder knows no configuration of an application */
const given = process.env.MONGODB_URI;

export async function openServer(): Promise<{ uri: string; stop(): Promise<void> }> {
  return given === undefined ? startEmbeddedMongo() : { uri: given, stop: async () => undefined };
}

/** Connects before the tests of this file, and drops the database and stops the server after them. */
export function useDatabase(options: MongoClientOptions = {}): TestDatabase {
  const name = `test_${new ObjectId().toHexString()}`;
  let collections = 0;
  let server: Awaited<ReturnType<typeof openServer>>;
  let client: MongoClient;
  const database = {
    get uri() {
      return server.uri;
    },
    get client() {
      return client;
    },
    get db() {
      return client.db(name);
    },
    async collection(docs: AnyDoc[] = []) {
      collections += 1;
      const collection = await client.db(name).createCollection(`c${collections}`);
      if (docs.length > 0) await collection.insertMany(docs);
      return collection;
    },
  };
  beforeAll(async () => {
    server = await openServer();
    client = await MongoClient.connect(server.uri, options);
  });
  afterAll(async () => {
    await client?.db(name).dropDatabase();
    await client?.close();
    await server?.stop();
  });
  return database;
}

/** The `_id`s of what a filter finds, in the order of the `_id`s. */
export async function idsOf(collection: AnyCollection, filter: AnyDoc): Promise<AnyDoc[]> {
  const found = await collection.find(filter).sort({ _id: 1 }).project({ _id: 1 }).toArray();
  return found.map((doc) => doc._id);
}
