/** What is measured: operations of an application, through mongoose. */
import { Schema, type Connection, type Model, Types } from 'mongoose';

/** Documents that the lookups and updates choose from. */
const POPULATION = 10_000;

interface Small {
  name: string;
  key: number;
  group: number;
  score: number;
  at: Date;
}
interface Entry {
  player: number;
  by: number;
}
const FIELDS = { name: String, key: Number, group: Number, score: Number, at: Date };

/** A like document is what the bare BSON loop works on. */
export const smallDocument = (i: number) => ({
  _id: new Types.ObjectId(),
  name: `player number ${i}`,
  key: i,
  group: i % 100,
  score: (i * 7919) % 10_007,
  at: new Date(1_700_000_000_000 + i),
});

export interface Scenario {
  name: string;
  run: (i: number) => Promise<unknown>;
}

export interface Bench {
  scenarios: Scenario[];
  /** Fills a collection with 100,000 small documents. */
  fill(): Promise<void>;
  /** Counts through all of them, without an index. */
  count(): Promise<number>;
}

export async function prepare(connection: Connection): Promise<Bench> {
  const players = connection.model<Small>('Player', new Schema<Small>(FIELDS).index({ key: 1 }, { unique: true }));
  const inserted = connection.model<Small>('Inserted', new Schema<Small>(FIELDS));
  const filled = connection.model<Small>('Filled', new Schema<Small>(FIELDS));
  const ledger = connection.model<Entry>('Ledger', new Schema<Entry>({ player: Number, by: Number }));
  await Promise.all([inserted, filled, ledger].map((model) => model.createCollection()));
  await players.createIndexes();
  const population = Array.from({ length: POPULATION }, (_, i) => smallDocument(i));
  await players.insertMany(population);
  return {
    scenarios: [
      { name: 'insert', run: (i) => inserted.create(smallDocument(i)) },
      { name: 'findOne by _id', run: (i) => players.findById(population[(i * 7919) % POPULATION]!._id).lean() },
      {
        name: 'findOneAndUpdate by an indexed field',
        run: (i) => players.findOneAndUpdate({ key: (i * 7919) % POPULATION }, { $inc: { score: 1 } }, { returnDocument: 'after' }).lean(),
      },
      { name: 'transaction of four writes', run: (i) => transfer(connection, players, ledger, i) },
    ],
    fill: () => fill(filled),
    count: () => filled.countDocuments({ score: { $gte: 5000 } }),
  }; // prettier-ignore
}

/** Callers take pairs of their own, so that conflicts are not what is measured. */
async function transfer(connection: Connection, players: Model<Small>, ledger: Model<Entry>, i: number) {
  const [from, to] = [(i * 2) % POPULATION, (i * 2 + 1) % POPULATION];
  await connection.transaction(async (session) => {
    await players.updateOne({ key: from }, { $inc: { score: -1 } }, { session });
    await players.updateOne({ key: to }, { $inc: { score: 1 } }, { session });
    await ledger.insertOne({ player: from, by: -1 }, { session });
    await ledger.insertOne({ player: to, by: 1 }, { session });
  });
} // prettier-ignore

async function fill(model: Model<Small>): Promise<void> {
  for (let from = 0; from < 100_000; from += 5000) {
    await model.collection.insertMany(Array.from({ length: 5000 }, (_, i) => smallDocument(from + i)));
  }
}
