import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom, type Random } from '../src/core/random';
import { castOf } from './cast';
import { readCatalogue } from './catalogue';
import { connect, stayConnected, sync } from './coming-back';
import { playGroup } from './group';
import { createInbox } from './inbox';
import { inParallel } from './in-parallel';
import { createLedger } from './ledger';
import { lossesAmiss, lossesOf } from './losses';
import type { DemoOptions } from './options';
import { registerPlayer, wordsOf } from './player';
import type { Rest } from './rest';
import { createTally, type Actor, type Stage, type Tally } from './stage';

/** Passwords are hashed slowly on purpose: more at once would only queue up in the server. */
const REGISTERING_AT_ONCE = 8;
const AT_ONCE = 32;
/** Groups come within this time, as people do, and not all in one moment. */
const ARRIVAL_MS = 5_000;
/** Whoever is left when nothing has moved for this long (and no rule holds out for more) cannot fill a match. */
const QUIET_MS = 6_000;
/** So long after an instance was lost, too, another one may take over its searches. */
const TAKEOVER_MS = 20_000;
/** After the last searches were ended everything has to come to its end within this time. */
const LAST_ENDS_MS = 60_000;

export interface Outcome {
  stage: Stage;
  /** What does not add up, in words; empty where everything held. */
  broken: string[];
}

/** The whole demo against one server. @param onTally is given the figures to show while it runs */
export async function runDemo(
  { players, seed, rounds, game, url: given }: DemoOptions,
  { url, rest, onTally }: { url: string; rest: Rest; onTally: (tally: Tally) => void },
): Promise<Outcome> {
  const random = seededRandom(seed);
  const cast = castOf(random, players, await readCatalogue(rest, game));
  const strengths = new Map<string, number>();
  const stage: Stage = {
    cast,
    ledger: createLedger(),
    tally: createTally(),
    rounds,
    actors: [],
    strengthOf: (userId) => strengths.get(userId) ?? 25,
    closing: false,
  };
  onTally(stage.tally);
  await arrive(stage, players, url, rest);
  for (const [i, { player }] of stage.actors.entries()) strengths.set(player.userId, cast.strengths[i] ?? 25);
  await inParallel(cast.blocks, AT_ONCE, (pair) => block(stage, pair));

  stage.tally.phase = 'searching and playing';
  const stories = playAll(stage, random).then(() => true);
  const ended = await Promise.race([stories, closeWhenQuiet(stage, stories)]);
  if (!ended) stage.ledger.broken('not everything came to its end in time');
  stage.tally.phase = 'checking';
  await inParallel(stage.actors, AT_ONCE, (actor) => askServer(stage, actor));
  for (const { back, syncing } of stage.actors) {
    await back;
    await syncing;
  }
  for (const { player } of stage.actors) player.drop();
  stage.tally.unanswered += rest.unanswered.times;
  // nobody ends a server of the demo's own
  if (given === undefined) for (const what of lossesAmiss(lossesOf(stage))) stage.ledger.broken(what);
  stage.tally.phase = 'done';
  return { stage, broken: stage.ledger.audit() };
}

async function arrive(stage: Stage, players: number, url: string, rest: Rest): Promise<void> {
  const { tally, ledger } = stage;
  // names of their own in every run: the accounts stay on a server that was there before
  const run = Date.now().toString(36);
  const names = Array.from({ length: players }, (_, i) => `demo_${run}_${i}`);
  const actors: Actor[] = [];
  tally.phase = 'registering';
  await inParallel(names, REGISTERING_AT_ONCE, async (name, i) => {
    const player = await registerPlayer(rest, url, name);
    const inbox = createInbox();
    const actor: Actor = { player, inbox, ticketId: null, cuts: 0, gaps: 0, back: null, syncing: null };
    player.onEvent((event) => {
      const isComplete = ledger.heard(player.userId, event);
      inbox.heard(event);
      if (event.name === 'connected') ledger.greeted(player.userId, event.payload);
      if (isComplete) return;
      actor.gaps += 1;
      actor.syncing ??= sync(stage, actor);
    });
    stayConnected(stage, actor);
    actors[i] = actor;
    tally.registered += 1;
  });
  tally.phase = 'connecting';
  await inParallel(actors, AT_ONCE, async ({ player }) => {
    await connect(player);
    tally.connected += 1;
  });
  stage.actors = actors;
}

async function block({ actors, ledger }: Stage, [by, who]: [number, number]): Promise<void> {
  const [blocker, blocked] = [actors[by], actors[who]] as [Actor, Actor];
  const { userId } = blocked.player;
  const answer = await blocker.player.insist('PUT', `/api/users/me/blocks/${userId}`);
  if (answer.status >= 300) ledger.broken(`a player could not be blocked: ${wordsOf(answer)}`);
  ledger.blocked(blocker.player.userId, userId);
}

async function playAll(stage: Stage, random: Random): Promise<void> {
  const arrivals = stage.cast.groups.map((group) => ({ group, afterMs: random() * ARRIVAL_MS }));
  await Promise.all(
    arrivals.map(async ({ group, afterMs }) => {
      await delay(afterMs);
      await playGroup(stage, group)
        .catch((error: Error) => stage.ledger.broken(`a group broke off: ${error.message}`))
        .finally(() => stage.tally.busy.delete(group));
    }),
  );
}

/** Ends the searches that nobody can join any more. @returns false where not all came to its end after that */
async function closeWhenQuiet(stage: Stage, stories: Promise<unknown>): Promise<false> {
  const { tally } = stage;
  const holdMs = 1000 * Math.max(...stage.cast.modes.map((mode) => mode.holdSeconds));
  const patienceMs = () => holdMs + (lossesOf(stage).cuts > 0 ? TAKEOVER_MS : QUIET_MS);
  let isOver = false;
  void stories.then(() => (isOver = true));
  await delay(ARRIVAL_MS);
  while (!isOver && (tally.busy.size > 0 || Date.now() - tally.movedAt < patienceMs())) await delay(250);
  if (isOver) return false;
  tally.phase = 'ending the searches that nobody is left for';
  stage.closing = true;
  await inParallel([...tally.searching], AT_ONCE, ([ticketId, { hostIndex }]) => cancel(stage, ticketId, hostIndex));
  // nothing is waited for any more where all has ended before
  await delay(LAST_ENDS_MS, undefined, { ref: false });
  return false;
}

async function cancel({ ledger, actors }: Stage, ticketId: string, hostIndex: number): Promise<void> {
  const { player } = actors[hostIndex] as Actor;
  const answer = await player.insist('DELETE', `/api/matchmaking/tickets/${ticketId}`);
  if (answer.status < 300) ledger.cancelled(ticketId);
  else if (answer.body?.code !== 'ALREADY_MATCHED') ledger.broken(`a search could not be ended: ${wordsOf(answer)}`);
}

/** The server's own account must agree: nothing open, and as many matches as the player was told of. */
async function askServer({ ledger }: Stage, { player }: Actor): Promise<void> {
  const current = await player.insist('GET', '/api/matchmaking/tickets/current');
  if (current.status !== 200 || current.body.ticket !== null)
    ledger.broken(`${player.username} still has an open ticket: ${wordsOf(current)}`);
  const told = [...ledger.matches.values()].filter((match) => match.told.has(player.userId));
  const history = await player.insist('GET', '/api/matchmaking/matches?limit=100');
  const listed = new Set((history.body?.items ?? []).map((match: { id: string }) => match.id));
  if (listed.size !== told.length || !told.every((match) => listed.has(match.matchId)))
    ledger.broken(`${player.username} was told of ${told.length} matches, the server lists ${listed.size}`);
}
