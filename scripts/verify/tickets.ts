import type { ClientSession } from 'mongodb';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import type { Finding } from './findings';
import { eachPage, type Source } from './pages';

/** Tickets: one open one for each player, fields that agree with the state, and a match that holds whoever says so. */
export function verifyTickets(source: Source): Promise<number> {
  return eachPage<TicketRow>(source, 'tickets', {}, async (rows, session) => [
    ...rows.flatMap((row) => [...fieldsAmiss(row), ...overdue(row, source)]),
    ...(await searchingTwice(rows, source, session)),
    ...(await unheld(rows, source, session)),
  ]);
}

const OPEN = ['scheduled', 'queued', 'proposed'];

function fieldsAmiss(row: TicketRow): Finding[] {
  const open = OPEN.includes(row.state);
  const inMatch = row.state === 'matched' || row.state === 'proposed';
  const amiss = [
    row.open !== open && `is ${row.state} and ${row.open ? 'open' : 'not open'}`,
    (row.endedAt === null) !== open && `is ${row.state} and ${row.endedAt === null ? 'has no end' : 'has ended'}`,
    inMatch && row.matchId === null && `is ${row.state} and names no match`,
    open && !inMatch && row.matchId !== null && `is ${row.state} and names a match`,
    row.state === 'queued' && row.queuedAt === null && 'is queued since no time',
    row.players.length === 0 && 'is for nobody',
  ];
  return amiss.flatMap((what) => (what === false ? [] : { check: 'ticket-state', what: `${nameOf(row)} ${what}` }));
}

function overdue(row: TicketRow, { now, patienceMs }: Source): Finding[] {
  if (patienceMs === null) return [];
  const due = row.state === 'queued' ? row.expiresAt : row.state === 'scheduled' ? row.scheduledFor : null;
  if (due === null || due.getTime() + patienceMs > now) return [];
  return [{ check: 'ticket-overdue', what: `${nameOf(row)} is ${row.state}, due ${due.toISOString()}` }];
}

/** Found at the first of the two. */
async function searchingTwice(rows: TicketRow[], { db }: Source, session: ClientSession): Promise<Finding[]> {
  const open = rows.filter((row) => row.open);
  if (open.length === 0) return [];
  const others = await db
    .collection<TicketRow>('tickets')
    .find({ open: true, players: { $in: open.flatMap((row) => row.players) } }, { session })
    .project<Pick<TicketRow, '_id' | 'players'>>({ players: 1 })
    .toArray();
  const byPlayer = new Map<string, string[]>();
  for (const { _id, players } of others)
    for (const player of players.map(String)) byPlayer.set(player, [...(byPlayer.get(player) ?? []), String(_id)]);
  return open.flatMap((row) =>
    row.players.map(String).flatMap((player): Finding[] => {
      const ids = (byPlayer.get(player) ?? []).sort();
      if (ids.length < 2 || ids[0] !== String(row._id)) return [];
      return [{ check: 'two-open-tickets', what: `player ${player} is in the open tickets ${ids.join(' and ')}` }];
    }),
  );
}

/** Tickets whose match is not there, does not hold them, or is in a state that does not fit theirs. */
async function unheld(rows: TicketRow[], { db }: Source, session: ClientSession): Promise<Finding[]> {
  const naming = rows.filter((row) => row.matchId !== null);
  if (naming.length === 0) return [];
  const matches = await db
    .collection<MatchRow>('matches')
    .find({ _id: { $in: naming.flatMap((row) => row.matchId ?? []) } }, { session })
    .project<Pick<MatchRow, '_id' | 'state' | 'tickets'>>({ state: 1, tickets: 1 })
    .toArray();
  const byId = new Map(matches.map((match) => [String(match._id), match]));
  return naming.flatMap((row): Finding[] => {
    const match = byId.get(String(row.matchId));
    // those who searched for others are in the match by their own tickets
    const holds = row.backfill?.matchId
      ? row.backfill.matchId.equals(match?._id ?? '')
      : (match?.tickets.some(({ ticketId }) => ticketId.equals(row._id)) ?? false);
    const stands = match !== undefined && !['proposed', 'fellThrough'].includes(match.state);
    if (row.state === 'matched' && !(holds && stands))
      return [{ check: 'ticket-match', what: `${nameOf(row)} is matched, and ${wordsOf(row, match?.state, holds)}` }];
    if (row.state === 'proposed' && !(holds && match?.state === 'proposed'))
      return [{ check: 'ticket-match', what: `${nameOf(row)} is proposed, and ${wordsOf(row, match?.state, holds)}` }];
    return [];
  });
}

const wordsOf = (row: TicketRow, state: string | undefined, holds: boolean): string =>
  `its match ${String(row.matchId)} ${state === undefined ? 'is not there' : holds ? `is ${state}` : 'does not hold it'}`;

const nameOf = (row: TicketRow): string => `ticket ${String(row._id)}`;
