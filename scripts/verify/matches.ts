import type { ClientSession } from 'mongodb';
import type { LobbyRow } from '../../src/modules/lobbies/lobbies.models';
import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import type { RelationRow } from '../../src/modules/users/relations.models';
import type { Check, Finding } from './findings';
import { eachPage, grouped, type Source } from './pages';
import { unsuitedOf } from './suits';

/** Matches: one live one for each player, whole tickets that are theirs, one lobby each, members who asked for each other. */
export function verifyMatches(source: Source): Promise<number> {
  return eachPage<MatchRow>(source, 'matches', {}, async (rows, session) => {
    const beside = await readBeside(rows, source, session);
    return [
      ...rows.flatMap((match) => [
        ...fieldsAmiss(match),
        ...overdue(match, source),
        ...ticketsAmiss(match, beside.tickets, source.now),
        ...lobbyAmiss(match, beside.lobbies.get(String(match._id)) ?? [], source.now),
        ...unsuitedOf(match, ticketsOf(match, beside.tickets), beside.blocks),
      ]),
      ...playingTwice(rows, beside.live),
    ];
  });
}

/** Rows are removed this long after their end (see the models): nobody misses them then. */
const DAY_MS = 86_400_000;
const TICKETS_KEPT_MS = 7 * DAY_MS;
const LOBBIES_KEPT_MS = 30 * DAY_MS;

type Tickets = ReadonlyMap<string, TicketRow>;

async function readBeside(rows: MatchRow[], { db }: Source, session: ClientSession) {
  const ids = rows.map((match) => match._id);
  const ticketIds = rows.flatMap((match) => match.tickets.map((ticket) => ticket.ticketId));
  const playing = rows.flatMap((match) => match.livePlayers);
  const players = rows.flatMap((match) => match.players);
  const tickets = await db
    .collection<TicketRow>('tickets')
    .find({ _id: { $in: ticketIds } }, { session })
    .toArray();
  const lobbies = await db
    .collection<LobbyRow>('lobbies')
    .find({ origin: 'match', matchId: { $in: ids } }, { session })
    .toArray();
  const live = await db
    .collection<MatchRow>('matches')
    .find({ live: true, livePlayers: { $in: playing } }, { session })
    .project<Pick<MatchRow, '_id' | 'livePlayers'>>({ livePlayers: 1 })
    .toArray();
  const blocks = await db
    .collection<RelationRow>('relations')
    .find({ users: { $in: players }, state: 'blocked' }, { session })
    .toArray();
  return {
    tickets: new Map(tickets.map((row) => [String(row._id), row])),
    lobbies: grouped(lobbies, (row) => String(row.matchId)),
    live,
    blocks: new Map(blocks.map((row) => [row._id, row])),
  };
}

const ticketsOf = (match: MatchRow, tickets: Tickets): TicketRow[] =>
  match.tickets.flatMap(({ ticketId, userIds }) =>
    stays(match, userIds) ? (tickets.get(String(ticketId)) ?? []) : [],
  );

/** Whether somebody of the ticket is still in the match: others may have come in place of those who left. */
const stays = ({ left = [] }: MatchRow, userIds: readonly unknown[]): boolean =>
  userIds.some((userId) => !left.some((gone) => String(gone.userId) === String(userId)));

const isFormed = (match: MatchRow): boolean => ['live', 'completed', 'abandoned'].includes(match.state);

function fieldsAmiss(match: MatchRow): Finding[] {
  const { state } = match;
  const formed = isFormed(match);
  const seated = [
    ...match.teams.flat().map(({ userId }) => userId),
    ...(match.left ?? []).map(({ userId }) => userId),
  ].map(String);
  const players = match.players.map(String);
  const over = !['live', 'proposed'].includes(state);
  return saying('match-state', match, [
    match.live !== (state === 'live') && `is ${state} and ${match.live ? 'live' : 'not live'}`,
    match.livePlayers.length > 0 !== match.live && `is ${state} with ${match.livePlayers.length} playing`,
    match.livePlayers.some((id) => !players.includes(String(id))) && 'is played by somebody who is not in it',
    formed !== (match.formedAt !== null) && `is ${state} and was ${match.formedAt === null ? 'never ' : ''}formed`,
    formed !== (match.lobbyId !== null) && `is ${state} and names ${match.lobbyId === null ? 'no' : 'a'} lobby`,
    over !== (match.endedAt !== null) && `is ${state} and ${match.endedAt === null ? 'has no end' : 'has ended'}`,
    state === 'proposed' && match.acceptBy === null && 'is proposed for ever',
    new Set(players).size !== players.length && 'has a player twice',
    [...seated].sort().join() !== [...players].sort().join() && 'has other players in its teams',
  ]);
}

function overdue(match: MatchRow, { now, patienceMs }: Source): Finding[] {
  if (patienceMs === null || match.state !== 'proposed' || match.acceptBy === null) return [];
  const late = match.acceptBy.getTime() + patienceMs <= now;
  return late ? saying('match-overdue', match, [`was to be accepted by ${match.acceptBy.toISOString()}`]) : [];
}

/** Its tickets are all there, all its own, in the state that fits its own, and together they are its players. */
function ticketsAmiss(match: MatchRow, tickets: Tickets, now: number): Finding[] {
  if (match.state === 'fellThrough') return [];
  const wanted = match.state === 'proposed' ? 'proposed' : 'matched';
  const kept = match.formedAt === null || match.formedAt.getTime() + TICKETS_KEPT_MS > now;
  const players = match.tickets.flatMap(({ userIds }) => userIds.map(String));
  const amiss = match.tickets.flatMap(({ ticketId, userIds }): Finding[] => {
    const id = String(ticketId);
    const row = tickets.get(id);
    if (!row) return kept ? saying('match-tickets', match, [`holds ticket ${id}, which is not there`]) : [];
    const check: Check = ['cancelled', 'expired'].includes(row.state) ? 'ended-ticket' : 'match-tickets';
    const staying = userIds.filter((one) => stays(match, [one]));
    // those whose lobby was filled may sit in several teams
    const together =
      Boolean(row.backfill) ||
      match.teams.some((team) => staying.every((one) => team.some(({ userId }) => userId.equals(one))));
    return [
      ...saying(check, match, [row.state !== wanted && `is ${match.state} with ticket ${id}, which is ${row.state}`]),
      ...saying('match-tickets', match, [
        row.state === wanted && !row.matchId?.equals(match._id) && `holds ticket ${id} of match ${String(row.matchId)}`,
        row.players.map(String).sort().join() !== userIds.map(String).sort().join() &&
          `holds ticket ${id} with other players`,
        !together && `tears ticket ${id} apart`,
      ]),
    ];
  });
  const whole = [...players].sort().join() === match.players.map(String).sort().join();
  return [...amiss, ...saying('match-tickets', match, [!whole && 'is not made of whole tickets'])];
}

function lobbyAmiss(match: MatchRow, lobbies: readonly LobbyRow[], now: number): Finding[] {
  if (!isFormed(match)) return saying('match-lobby', match, [lobbies.length > 0 && `is ${match.state} with a lobby`]);
  const gone = lobbies.length === 0 && (match.formedAt?.getTime() ?? 0) + LOBBIES_KEPT_MS <= now;
  const own = lobbies.length === 1 && lobbies[0]?._id.equals(match.lobbyId ?? '');
  const ids = lobbies.map((lobby) => String(lobby._id)).join(' and ') || 'none';
  return saying('match-lobby', match, [!gone && !own && `names lobby ${String(match.lobbyId)}, and has ${ids}`]);
}

/** Found at the first of the two. */
function playingTwice(rows: readonly MatchRow[], live: readonly Pick<MatchRow, '_id' | 'livePlayers'>[]): Finding[] {
  const byPlayer = new Map<string, string[]>();
  for (const { _id, livePlayers } of live)
    for (const player of livePlayers.map(String)) byPlayer.set(player, [...(byPlayer.get(player) ?? []), String(_id)]);
  const here = new Set(rows.map((match) => String(match._id)));
  return [...byPlayer].flatMap(([player, ids]): Finding[] => {
    const [first = '', ...more] = ids.sort();
    if (more.length === 0 || !here.has(first)) return [];
    return [{ check: 'two-live-matches', what: `player ${player} is in the live matches ${ids.join(' and ')}` }];
  });
}

const saying = (check: Check, match: MatchRow, amiss: readonly (string | false)[]): Finding[] =>
  amiss.flatMap((what) => (what === false ? [] : { check, what: `match ${String(match._id)} ${what}` }));
