import { setTimeout as delay } from 'node:timers/promises';
import type { Group, Wishes } from './cast';
import { comeBack, learnEnd } from './coming-back';
import type { End, Ledger } from './ledger';
import { meet } from './meeting';
import { wordsOf } from './player';
import { say } from './say';
import type { Actor, Stage } from './stage';

/** The story of one group: gather, search, meet, play, and again; until its rounds are over or nobody is left to play with. */
export async function playGroup(stage: Stage, group: Group): Promise<void> {
  const { ledger, tally } = stage;
  const members = group.members.map((index) => stage.actors[index] as Actor);
  const [host] = members as [Actor];
  let hesitates = group.hesitates;
  for (const actor of members) answerProposals(stage, actor, () => actor === host && hesitates && !(hesitates = false));

  tally.busy.add(group);
  const lobbyId = members.length > 1 ? await gather(stage, members, group) : null;
  for (let round = 0; round < stage.rounds && !stage.closing;) {
    const ticketId = await search(stage, members, group, lobbyId);
    if (ticketId === null) break;
    tally.busy.delete(group);
    if (group.drops && round === 0) await blink(stage, host);
    const ends = await Promise.all(members.map(({ player }) => ledger.endOf(ticketId, player.userId)));
    tally.busy.add(group);
    for (const actor of members) actor.ticketId = null;
    tally.searching.delete(ticketId);
    tally.movedAt = Date.now();
    if (!(await afterwards(stage, members, ends))) break;
    if (ends[0]?.kind === 'matched') round += 1;
  }
  if (lobbyId !== null) await host.player.insist('POST', `/api/lobbies/${lobbyId}/close`);
}

/** News that an instance died over is told by another one once its claim has not been renewed for 4 s. */
const NEWS_MS = 10_000;
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
    }),
  );
  tally.playing -= members.length;
  return true;
}

/** A party meets in a lobby of its own. */
async function gather({ ledger }: Stage, members: readonly Actor[], { wishes }: Group): Promise<string | null> {
  const [host, ...guests] = members as [Actor, ...Actor[]];
  const { gameId, mode } = wishes.games[0] as { gameId: string; mode: string };
  const opened = await host.player.insist('POST', '/api/lobbies', { gameId, mode });
  if (opened.status !== 201) {
    ledger.broken(`${host.player.username} could not open a lobby: ${wordsOf(opened)}`);
    return null;
  }
  const lobbyId: string = opened.body.id;
  for (const { player } of guests) {
    const invited = await host.player.insist('POST', `/api/lobbies/${lobbyId}/invites`, { userId: player.userId });
    const joined = await player.insist('POST', `/api/lobbies/${lobbyId}/join`);
    if (invited.status !== 200 || joined.status !== 200)
      ledger.broken(`${player.username} could not join a party: ${wordsOf(invited)}, ${wordsOf(joined)}`);
  }
  return lobbyId;
}

/** @returns the ticket, or null where the group cannot search */
async function search(
  stage: Stage,
  members: readonly Actor[],
  { wishes }: Group,
  lobbyId: string | null,
): Promise<string | null> {
  const { ledger, tally, actors } = stage;
  const [host] = members as [Actor];
  const at = Date.now();
  const ticketId = await submit(stage, members, wishes, lobbyId);
  if (ticketId === null) return null;
  ledger.promised({ ticketId, userIds: members.map(({ player }) => player.userId), wishes, at });
  for (const actor of members) actor.ticketId = ticketId;
  // who was away before they knew the ticket could not ask for it
  const away = members.filter(({ cuts, gaps }) => cuts + gaps > 0);
  await Promise.all(away.map((actor) => learnEnd(ledger, actor)));
  tally.searching.set(ticketId, { hostIndex: actors.indexOf(host), players: members.length });
  tally.movedAt = Date.now();
  void ledger.endOf(ticketId, host.player.userId).then((end) => {
    if (end.kind === 'matched') tally.waitsMs.push(end.at - at);
  });
  return ticketId;
}

async function submit(
  { ledger }: Stage,
  members: readonly Actor[],
  wishes: Wishes,
  lobbyId: string | null,
): Promise<string | null> {
  const [host] = members as [Actor];
  const cuts = members.map((actor) => actor.cuts);
  const path = lobbyId === null ? '/api/matchmaking/tickets' : `/api/lobbies/${lobbyId}/queue`;
  const { status, body, repeated } = await host.player.insist('POST', path, wishes);
  if (status === 201) {
    const userIds = members.map(({ player }) => player.userId);
    if ([...body.players].sort().join() !== [...userIds].sort().join())
      ledger.broken(`ticket ${body.id} is for other players than those who are in the party`);
    return body.id;
  }
  const found = repeated ? await findLost(ledger, members) : null;
  if (found !== null) return found;
  const wasAway = (actor: Actor, i: number) => actor.cuts !== cuts[i] || actor.back !== null;
  if (repeated && members.every(wasAway)) return missedByAll(ledger, members);
  ledger.broken(`${host.player.username} could not search: ${status} ${body?.code}: ${body?.detail}`);
  return null;
}

/** The search whose answer was lost: open still, or matched meanwhile. */
async function findLost(ledger: Ledger, members: readonly Actor[]): Promise<string | null> {
  const [{ player, inbox }] = members as [Actor];
  const { body } = await player.insist('GET', '/api/matchmaking/tickets/current');
  if (body.ticket) return body.ticket.id;
  const fromNews = () => members.map((actor) => ledger.unpromised(actor.player.userId)).find((id) => id !== null);
  await inbox.until(() => fromNews() !== undefined, NEWS_MS);
  return fromNews() ?? null;
}

/** All of them were cut off when it was told: their match stands for the ticket, whose id they cannot learn any more. */
async function missedByAll(ledger: Ledger, members: readonly Actor[]): Promise<string | null> {
  const [{ player: host }] = members as [Actor];
  const { body } = await host.insist('GET', '/api/matchmaking/matches?limit=1');
  const match = body?.items?.[0];
  if (match?.state !== 'live') return null;
  const { id: matchId, lobbyId, teams } = match;
  const ticketId = `of match ${matchId}`;
  for (const { player } of members)
    ledger.heard(player.userId, { name: 'matchmaking:matched', payload: { ticketId, matchId, lobbyId, teams } });
  return ticketId;
}

function answerProposals(stage: Stage, actor: Actor, declines: () => boolean): void {
  const { ledger, tally } = stage;
  const { player } = actor;
  player.onEvent(({ name, payload }) => {
    if (name !== 'matchmaking:proposed') return;
    tally.movedAt = Date.now();
    const event = declines() ? 'matchmaking:decline' : 'matchmaking:accept';
    void say(stage, actor, event, { matchId: payload.matchId }).then(
      ({ ok, error, repeated }) => {
        // somebody else may have been faster, with a no or with the last yes
        if (!ok && !repeated && error?.code !== 'MATCH_CLOSED' && error?.code !== 'ALREADY_MATCHED')
          ledger.broken(`${player.username} could not answer a proposal: ${error?.code}: ${error?.message}`);
      },
      (error: Error) => ledger.broken(`${player.username} got no answer to ${event}: ${error.message}`),
    );
  });
}

/** Loses the connection while waiting. */
async function blink(stage: Stage, actor: Actor): Promise<void> {
  // whoever is cut off already comes back without that
  if (actor.back !== null) return;
  actor.player.drop();
  actor.back = delay(1000).then(() => comeBack(stage, actor));
  await actor.back;
}
