import { Types, type Connection, type mongo } from 'mongoose';
import type { Transact } from './transaction';

/**
 * What is kept about people, said where it is kept: every model carries a note. From the notes follow the inventory in
 * docs/privacy.md, what somebody gets who asks for their data, and what is erased with them, so that the three cannot
 * differ.
 */
export interface DataNote {
  /** What a row is, why it is there, and until when: in words for the people it is about. */
  what: string;
  why: string;
  kept: string;
  /** The field with the id of whom a row belongs to (or the ids): it is exported, and goes with them. */
  owner?: string;
  /** The indexed field with ids of people who share a row: it is exported, and stays with an id that is nobody's. */
  shared?: string;
  /** Other fields of such rows with ids. No index has them: they are looked through at an erasure. */
  alsoIn?: string[];
  /** Fields with the id of somebody whom a row of another person tells of: it goes with them, and is no part of their export. */
  tellsOf?: string[];
  /** Lines of text that name people, by field, in these rows: those that name somebody go with them. */
  lines?: { field: string; where: Record<string, unknown> };
  /** Rows that pass within days and may hold anything: those of `where` that name somebody go with them. Not exported. */
  passing?: { where: Record<string, unknown> };
  /** Which of the rows are exported, where it is not all of them. */
  only?: Record<string, unknown>;
  /** Fields that nobody gets: secrets, and what follows from the rest. */
  hidden?: string[];
  /** What of a row this person may see; null: nothing. */
  show?: (row: Row, userId: string) => Row | null;
}

type Row = Record<string, unknown>;

export interface Traces {
  userId: string;
  email: string;
  username: string;
}

/** In the place of a name that was erased. */
export const ERASED_NAME = 'deleted';

const notes = new WeakMap<object, DataNote>();

/** Says what the rows of a schema are about. To be called before a model is made of it. */
export function describeData(schema: object, note: DataNote): void {
  notes.set(schema, note);
}

export const noteOf = ({ schema }: { schema: object }): DataNote | undefined => notes.get(schema);

/** Every collection of a connection with its note, by name. */
function described(connection: Connection): [mongo.Collection, DataNote][] {
  return Object.values(connection.models)
    .flatMap((model): [mongo.Collection, DataNote][] => {
      const note = noteOf(model);
      return note ? [[model.collection, note]] : [];
    })
    .sort(([a], [b]) => (a.collectionName < b.collectionName ? -1 : 1));
}

/** Ids stand as such or as text. */
const idsOf = (userIds: readonly string[]) => [...userIds.map((id) => new Types.ObjectId(id)), ...userIds];

const isOf = (field: string, userIds: readonly string[]) => ({ [field]: { $in: idsOf(userIds) } });
const anyOf = (fields: readonly string[], userIds: readonly string[]) => ({
  $or: fields.map((field) => isOf(field, userIds)),
});

/** Everything kept about somebody, by collection. */
export async function exportOf(connection: Connection, userId: string): Promise<Record<string, unknown[]>> {
  const parts = described(connection).flatMap(([collection, note]) => {
    const field = note.owner ?? note.shared;
    return field === undefined ? [] : [{ collection, note, field }];
  });
  const read = parts.map(async ({ collection, note, field }) => {
    const projection = Object.fromEntries((note.hidden ?? []).map((field) => [field, 0]));
    const rows = await collection.find({ ...isOf(field, [userId]), ...note.only }, { projection }).toArray();
    const shown = rows.map((row) => (note.show ? note.show(row, userId) : row)).filter((row) => row !== null);
    return [collection.collectionName, shown] as const;
  });
  return Object.fromEntries(await Promise.all(read));
}

export interface ErasureDeps {
  connection: Connection;
  transact: Transact;
}

/**
 * Leaves no trace of these people. May be repeated: their accounts go last. What has no index for it is looked through
 * once for all of them, so call it rarely and for many.
 */
export async function eraseTraces({ connection, transact }: ErasureDeps, people: readonly Traces[]): Promise<void> {
  const userIds = people.map(({ userId }) => userId);
  const accounts: (() => Promise<unknown>)[] = [];
  for (const [collection, note] of described(connection)) {
    const { owner, shared, alsoIn = [], tellsOf, lines, passing } = note;
    if (shared !== undefined) await makeAnonymous(collection, [shared, ...alsoIn], people, transact);
    if (owner === '_id' && collection.collectionName === 'users')
      accounts.push(() => collection.deleteMany(isOf(owner, userIds)));
    else if (owner !== undefined) await collection.deleteMany(isOf(owner, userIds));
    if (tellsOf) await collection.deleteMany(anyOf(tellsOf, userIds));
    if (lines) await removeNaming(collection, lines.where, people, { [lines.field]: 1 });
    if (passing) await removeNaming(collection, passing.where, people);
  }
  for (const erase of accounts) await erase();
}

/** Each row in a transaction of its own: what others write to it at that moment is not lost. */
async function makeAnonymous(
  collection: mongo.Collection,
  fields: readonly string[],
  people: readonly Traces[],
  transact: Transact,
): Promise<void> {
  const filter = anyOf(
    fields,
    people.map(({ userId }) => userId),
  );
  for await (const { _id } of collection.find(filter, { projection: { _id: 1 } }))
    await transact(async (session) => {
      const row = await collection.findOne({ _id, ...filter }, { session });
      if (row) await collection.replaceOne({ _id }, withoutPeople(row, people), { session });
    });
}

/** Ids become ids that are nobody's, others in every row: what one person did in two of them cannot be told any more. */
function withoutPeople(row: Row, people: readonly Traces[]): Row {
  const standIns = new Map(people.map(({ userId }) => [userId, new Types.ObjectId()]));
  const names = new Set(people.flatMap(({ username, email }) => [username, email]));
  const replace = (value: unknown): unknown => {
    if (value instanceof Types.ObjectId) return standIns.get(value.toHexString()) ?? value;
    if (typeof value === 'string')
      return names.has(value) ? ERASED_NAME : (standIns.get(value)?.toHexString() ?? value);
    if (Array.isArray(value)) return value.map(replace);
    if (value !== null && typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype)
      return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, replace(inner)]));
    return value;
  };
  return replace(row) as Row;
}

const REMOVED_AT_ONCE = 500;

/** Looks through rows and removes those that name one of these people. */
async function removeNaming(
  collection: mongo.Collection,
  where: Record<string, unknown>,
  people: readonly Traces[],
  projection: Record<string, 1> = {},
): Promise<void> {
  const names = new Set(people.flatMap(({ username, email, userId }) => [username, email, userId]));
  const ids = people.map(({ userId }) => userId);
  let naming: mongo.BSON.Document['_id'][] = [];
  const remove = async () => {
    if (naming.length > 0) await collection.deleteMany({ _id: { $in: naming } });
    naming = [];
  };
  for await (const row of collection.find(where, { projection })) {
    if (!namesOne(row, names, ids)) continue;
    naming.push(row._id);
    if (naming.length === REMOVED_AT_ONCE) await remove();
  }
  await remove();
}

/** Whether one of the names is a word of it, or one of the ids stands anywhere in it. */
function namesOne(row: Row, names: ReadonlySet<string>, ids: readonly string[]): boolean {
  const text = JSON.stringify(row);
  if (ids.some((id) => text.includes(id))) return true;
  return (text.match(/[\w.@+-]+/g) ?? []).some((word) => names.has(word) || names.has(word.replace(/\.$/, '')));
}
