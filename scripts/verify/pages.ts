import type { ClientSession, Db, Filter, MongoClient, ObjectId } from 'mongodb';
import type { Finding, Findings } from './findings';

/** A database to look at, and how: times in ms. */
export interface Source {
  client: MongoClient;
  db: Db;
  now: number;
  /** How long what should happen by itself may take before it counts as stuck; null where no server runs on this database. */
  patienceMs: number | null;
  findings: Findings;
}

const PAGE = 200;

/**
 * Goes through a collection by id, one page at a time, each within a read-only transaction: what is read beside the page's rows is of
 * the same moment, so that a database can be checked while servers work on it.
 * @param check may run more than once for a page: it returns what it finds
 * @returns how many rows there were
 */
export async function eachPage<Row extends { _id: ObjectId }>(
  { client, db, findings }: Source,
  collection: string,
  filter: Filter<Row>,
  check: (rows: Row[], session: ClientSession) => Promise<Finding[]>,
): Promise<number> {
  const session = client.startSession();
  try {
    let seen = 0;
    for (let after: ObjectId | undefined; ;) {
      const from = after === undefined ? filter : { $and: [filter, { _id: { $gt: after } }] };
      const { rows, found } = await session.withTransaction(
        async () => {
          const rows = (await db
            .collection<Row>(collection)
            .find(from as Filter<Row>, { session })
            .sort({ _id: 1 })
            .limit(PAGE)
            .toArray()) as Row[];
          return { rows, found: rows.length === 0 ? [] : await check(rows, session) };
        },
        { readConcern: { level: 'snapshot' } },
      );
      findings.add(found);
      seen += rows.length;
      after = rows.at(-1)?._id;
      if (rows.length < PAGE) return seen;
    }
  } finally {
    await session.endSession();
  }
}

/** Rows by a key of theirs. */
export function grouped<Row>(rows: readonly Row[], keyOf: (row: Row) => string): Map<string, Row[]> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const group = groups.get(keyOf(row));
    if (group) group.push(row);
    else groups.set(keyOf(row), [row]);
  }
  return groups;
}
