import type { FindCursor, ObjectId } from 'mongodb';
import type { Finding } from './findings';
import type { Source } from './pages';

/**
 * The outbox: of every match that was formed lately there is the fact, and nothing waits for long to be told. Facts are not indexed
 * by what they are about, so two sorted streams are read side by side; whatever seems to be missing is looked for once more.
 */
export async function verifyNews(source: Source): Promise<number> {
  const { db, findings } = source;
  await findLate(source);
  const formed = db
    .collection<Formed>('matches')
    .find({ formedAt: { $gt: new Date(source.now - NEWS_KEPT_MS + MARGIN_MS) } }, { allowDiskUse: true })
    .project<Formed>({ _id: 1 })
    .sort({ _id: 1 });
  const facts = db
    .collection<Fact>('outbox')
    .find({ type: 'match.formed' }, { allowDiskUse: true })
    .project<Fact>({ _id: 0, key: 1 })
    .sort({ key: 1 });
  try {
    let suspects: string[] = [];
    for await (const matchId of withoutFact(formed, facts)) {
      suspects.push(matchId);
      if (suspects.length < SUSPECTS) continue;
      findings.add(await confirmed(source, suspects));
      suspects = [];
    }
    findings.add(await confirmed(source, suspects));
  } finally {
    await Promise.all([formed.close(), facts.close()]);
  }
  return db.collection('outbox').countDocuments();
}

interface Formed {
  _id: ObjectId;
}

interface Fact {
  key: string;
}

/** A fact is kept for a day after it was told. */
const NEWS_KEPT_MS = 86_400_000;
const MARGIN_MS = 3_600_000;
const SUSPECTS = 500;

/** Ids of matches to which no fact belongs; both streams are in the order of the match's id. */
async function* withoutFact(formed: FindCursor<Formed>, facts: FindCursor<Fact>): AsyncGenerator<string> {
  let fact = await facts.next();
  for await (const { _id } of formed) {
    const matchId = _id.toHexString();
    while (fact !== null && fact.key < matchId) fact = await facts.next();
    if (fact?.key !== matchId) yield matchId;
  }
}

/** A match that was formed while the streams ran has its fact by now. */
async function confirmed({ db }: Source, suspects: readonly string[]): Promise<Finding[]> {
  if (suspects.length === 0) return [];
  const facts = await db
    .collection<Fact>('outbox')
    .find({ type: 'match.formed', key: { $in: [...suspects] } })
    .project<Fact>({ _id: 0, key: 1 })
    .toArray();
  const told = new Set(facts.map(({ key }) => key));
  return suspects
    .filter((matchId) => !told.has(matchId))
    .map((matchId) => ({ check: 'news-missing', what: `there is no fact of match ${matchId}` }));
}

async function findLate({ db, now, patienceMs, findings }: Source): Promise<void> {
  if (patienceMs === null) return;
  const late = db
    .collection<{ type: string; key: string; createdAt: Date; attempts: number }>('outbox')
    .find({ deliveredAt: null, createdAt: { $lte: new Date(now - patienceMs) } });
  for await (const { type, key, createdAt, attempts } of late)
    findings.add([
      {
        check: 'news-late',
        what: `${type} of ${key}, of ${createdAt.toISOString()}, after ${attempts} failed attempts`,
      },
    ]);
}
