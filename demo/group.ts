import { setTimeout as delay } from 'node:timers/promises';
import type { Group } from './cast';
import type { End } from './ledger';
import { meet } from './meeting';
import { wordsOf } from './player';
import type { Actor, Stage } from './stage';

/** The story of one group: gather, search, meet, play, and again; until its rounds are over or nobody is left to play with. */
export async function playGroup(stage: Stage, group: Group): Promise<void> {
  const { ledger, tally } = stage;
  const members = group.members.map((index) => stage.actors[index] as Actor);
  const [host] = members as [Actor];
  let hesitates = group.hesitates;
  for (const actor of members) answerProposals(stage, actor, () => actor === host && hesitates && !(hesitates = false));

  tally.busy += 1;
  const lobbyId = members.length > 1 ? await gather(stage, members, group) : null;
  for (let round = 0; round < stage.rounds && !stage.closing;) {
    const ticketId = await search(stage, members, group, lobbyId);
    if (ticketId === null) break;
    tally.busy -= 1;
    if (group.drops && round === 0) await blink(stage, host, ticketId);
    const ends = await Promise.all(members.map(({ player }) => ledger.endOf(ticketId, player.userId)));
    tally.busy += 1;
    tally.searching.delete(ticketId);
    tally.movedAt = Date.now();
    if (!(await afterwards(stage, members, ends))) break;
    if (ends[0]?.kind === 'matched') round += 1;
  }
  if (lobbyId !== null) await host.player.call('POST', `/api/lobbies/${lobbyId}/close`);
  tally.busy -= 1;
}

/** A proposal that this group declined, or missed because it was away: it searches again. */
const NOT_ACCEPTED = ['declined', 'not_accepted'];

/** Plays what was found. @returns whether the group goes on */
async function afterwards(stage: Stage, members: readonly Actor[], ends: readonly End[]): Promise<boolean> {
  const { ledger, tally } = stage;
  const [end] = ends as [End];
  if (end.kind === 'expired') tally.expired += 1;
  if (end.kind === 'cancelled' && NOT_ACCEPTED.includes(end.reason)) {
    tally.declined += 1;
    return true;
  }
  if (end.kind === 'cancelled' && end.reason !== 'cancelled_by_player')
    ledger.broken(`a ticket of ${members[0]?.player.username} was cancelled by nobody: ${end.reason}`);
  if (end.kind !== 'matched') {
    tally.remainders.tickets += 1;
    tally.remainders.players += members.length;
    return false;
  }
  tally.playing += members.length;
  await Promise.all(
    members.map(async (actor, i) => {
      const mine = ends[i];
      if (mine?.kind === 'matched') await meet(stage, actor, mine);
      actor.returned = false;
    }),
  );
  tally.playing -= members.length;
  return true;
}

/** A party meets in a lobby of its own. */
async function gather({ ledger }: Stage, members: readonly Actor[], { wishes }: Group): Promise<string | null> {
  const [host, ...guests] = members as [Actor, ...Actor[]];
  const { gameId, mode } = wishes.games[0] as { gameId: string; mode: string };
  const opened = await host.player.call('POST', '/api/lobbies', { gameId, mode });
  if (opened.status !== 201) {
    ledger.broken(`${host.player.username} could not open a lobby: ${wordsOf(opened)}`);
    return null;
  }
  const lobbyId: string = opened.body.id;
  for (const { player } of guests) {
    const invited = await host.player.call('POST', `/api/lobbies/${lobbyId}/invites`, { userId: player.userId });
    const joined = await player.call('POST', `/api/lobbies/${lobbyId}/join`);
    if (invited.status !== 200 || joined.status !== 200)
      ledger.broken(`${player.username} could not join a party: ${wordsOf(invited)}, ${wordsOf(joined)}`);
  }
  return lobbyId;
}

/** @returns the ticket, or null where the group cannot search */
async function search(
  { ledger, tally, actors }: Stage,
  members: readonly Actor[],
  { wishes }: Group,
  lobbyId: string | null,
): Promise<string | null> {
  const [host] = members as [Actor];
  const path = lobbyId === null ? '/api/matchmaking/tickets' : `/api/lobbies/${lobbyId}/queue`;
  const at = Date.now();
  const { status, body } = await host.player.call('POST', path, wishes);
  if (status !== 201) {
    ledger.broken(`${host.player.username} could not search: ${status} ${body?.code}: ${body?.detail}`);
    return null;
  }
  const userIds = members.map(({ player }) => player.userId);
  const ticketId: string = body.id;
  ledger.promised({ ticketId, userIds, wishes, at });
  if ([...body.players].sort().join() !== [...userIds].sort().join())
    ledger.broken(`ticket ${ticketId} is for other players than those who are in the party`);
  tally.searching.set(ticketId, { hostIndex: actors.indexOf(host), players: members.length });
  tally.movedAt = Date.now();
  void ledger.endOf(ticketId, host.player.userId).then((end) => {
    if (end.kind === 'matched') tally.waitsMs.push(end.at - at);
  });
  return ticketId;
}

function answerProposals({ ledger, tally }: Stage, { player }: Actor, declines: () => boolean): void {
  player.onEvent(({ name, payload }) => {
    if (name !== 'matchmaking:proposed') return;
    tally.movedAt = Date.now();
    const event = declines() ? 'matchmaking:decline' : 'matchmaking:accept';
    void player.send(event, { matchId: payload.matchId }).then(
      ({ ok, error }) => {
        // somebody else may have been faster, with a no or with the last yes
        if (!ok && error?.code !== 'MATCH_CLOSED' && error?.code !== 'ALREADY_MATCHED')
          ledger.broken(`${player.username} could not answer a proposal: ${error?.code}: ${error?.message}`);
      },
      (error: Error) => ledger.broken(`${player.username} got no answer to ${event}: ${error.message}`),
    );
  });
}

/** Loses the connection while waiting, and learns from the next one what happened meanwhile. */
async function blink({ ledger, tally }: Stage, actor: Actor, ticketId: string): Promise<void> {
  const { player } = actor;
  player.drop();
  await delay(1000);
  actor.returned = true;
  const { ticket, match } = await player.connect();
  tally.reconnected += 1;
  if (ticket?.state === 'proposed' && match) await player.send('matchmaking:accept', { matchId: match.id });
  if (ticket) return;
  const ended = await player.call('GET', `/api/matchmaking/tickets/${ticketId}`);
  const payload = { ticketId, reason: ended.body?.reason };
  if (ended.body?.state === 'cancelled') ledger.heard(player.userId, { name: 'matchmaking:cancelled', payload });
  if (ended.body?.state !== 'matched') return;
  const found = await player.call('GET', `/api/matchmaking/matches/${ended.body.matchId}`);
  const { id: matchId, lobbyId, teams } = found.body;
  ledger.heard(player.userId, { name: 'matchmaking:matched', payload: { ticketId, matchId, lobbyId, teams } });
}
