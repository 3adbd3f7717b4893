/**
 * The data directory, by lmdb: one row for each document, one for each collection with its indexes. Everything that is told in one turn of the event loop is
 * one transaction of lmdb, so a command is kept whole or not at all, also when the process is killed. One process at a time: see owner.ts.
 *
 * Rows: `['c', collection]` holds what describes it, `['d', collection, number]` a document; both as BSON.
 */
import { mkdir } from 'node:fs/promises';
import { type Binary, UUID } from 'bson';
import { open, type RootDatabase } from 'lmdb';
import { decodeDocument } from '../values/bson-decode';
import { encodeDocument } from '../values/bson-encode';
import { type Doc } from '../values/bson-types';
import { Collection } from './collection';
import { CollectionIndex } from './collection-index';
import { readDescribed } from './index-spec';
import { own } from './owner';
import { type Disk } from './store';

type Key = ['c', number] | ['d', number, number];

/** `onFailure` is told when something could not be written. @throws Error if another process has the directory */
export async function openDisk(directory: string, onFailure: (error: unknown) => void): Promise<Disk> {
  await mkdir(directory, { recursive: true });
  const release = await own(directory);
  let database: RootDatabase<Buffer, Key>;
  try {
    database = open<Buffer, Key>({
      path: `${directory}/data.mdb`,
      encoding: 'binary',
      noSubdir: true,
      overlappingSync: false,
    });
  } catch (error) {
    await release();
    throw error;
  }
  return new LmdbDisk(database, release, onFailure);
}

class LmdbDisk implements Disk {
  private last: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly database: RootDatabase<Buffer, Key>,
    private readonly release: () => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  private write(operation: Promise<unknown>): void {
    this.last = operation;
    operation.catch(this.onFailure);
  }

  putDocument(collection: number, seq: number, bytes: Buffer | undefined): void {
    const key: Key = ['d', collection, seq];
    this.write(bytes ? this.database.put(key, bytes) : this.database.remove(key));
  }

  putCollection({ id, db, name, options, uuid, indexes }: Collection): void {
    const described = indexes.slice(1).map(({ spec }) => spec.described);
    this.write(this.database.put(['c', id], encodeDocument({ db, name, options, uuid, indexes: described })));
  }

  dropCollection({ id, records }: Collection): void {
    this.write(this.database.remove(['c', id]));
    // what is on its way to the disk is among them, too
    for (const { seq } of records.values()) this.write(this.database.remove(['d', id, seq]));
  }

  async kept(): Promise<void> {
    await this.last;
  }

  *load(): Generator<Collection> {
    const all = new Map<number, Collection>();
    for (const { key, value } of this.database.getRange({ start: ['c', 0], end: ['c', Infinity] })) {
      const { db, name, options, uuid, indexes } = decodeDocument(value) as { db: string; name: string; options: Doc; uuid: Binary; indexes: Doc[] }; // prettier-ignore
      const collection = new Collection(key[1], db, name, options, new UUID(uuid.buffer.subarray(0, 16)));
      for (const described of indexes) collection.indexes.push(new CollectionIndex(readDescribed(described)));
      all.set(key[1], collection);
    }
    for (const { key, value } of this.database.getRange({ start: ['d', 0, 0], end: ['d', Infinity, 0] }))
      all.get(key[1])?.load(key[2]!, decodeDocument(value));
    yield* all.values();
  }

  async close(): Promise<void> {
    await this.last.catch(() => undefined);
    await this.database.close();
    await this.release();
  }
}
