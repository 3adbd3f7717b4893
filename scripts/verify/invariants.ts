import type { Connection } from 'mongoose';
import { CHECKS, createFindings, type Check, type Findings } from './findings';
import { verifyLobbies } from './lobbies';
import { verifyMatches } from './matches';
import { verifyNews } from './news';
import type { Source } from './pages';
import { verifyTickets } from './tickets';

/** What a check of a whole database came to. */
export interface Verdict {
  /** How many of each were looked at. */
  seen: { tickets: number; matches: number; lobbies: number; news: number };
  findings: Findings;
}

export interface VerifyOptions {
  /** How long what should happen by itself may take before it counts as stuck, ms; null where no server runs on this database. */
  patienceMs: number | null;
}

/** Checks I1 to I6 over the whole database, reading page by page, and writing nothing. */
export async function verifyInvariants(connection: Connection, { patienceMs }: VerifyOptions): Promise<Verdict> {
  const { db } = connection;
  if (!db) throw new Error('not connected');
  const { localTime } = await db.admin().command({ hello: 1 });
  const now = localTime instanceof Date ? localTime.getTime() : Date.now();
  const client = connection.getClient() as unknown as Source['client'];
  const source: Source = { client, db: db as unknown as Source['db'], now, patienceMs, findings: createFindings() };
  const tickets = await verifyTickets(source);
  const matches = await verifyMatches(source);
  const lobbies = await verifyLobbies(source);
  const news = await verifyNews(source);
  return { seen: { tickets, matches, lobbies, news }, findings: source.findings };
}

/** For people: what was looked at, and a line for each check; of what was found the first few. */
export function tableOf({ seen, findings }: Verdict): string {
  const counts = `${seen.tickets} tickets, ${seen.matches} matches, ${seen.lobbies} lobbies of matches, ${seen.news} facts`;
  const lines = (Object.keys(CHECKS) as Check[]).flatMap((check) => {
    const count = findings.count(check);
    const examples = findings.examples(check).map((what) => `${' '.repeat(26)}${what}`);
    const more = count > examples.length ? [`${' '.repeat(26)}… and ${count - examples.length} more`] : [];
    return [`  ${check.padEnd(18)}${String(count).padStart(6)}  ${CHECKS[check]}`, ...examples, ...more];
  });
  const sum = findings.total === 0 ? 'Everything holds.' : `${findings.total} violations.`;
  return `\n  Looked at ${counts}.\n\n${lines.join('\n')}\n\n  ${sum}\n\n`;
}
