import { seededRandom } from '../../src/core/random';
import type { InProcessDatabase } from './database';
import type { Call, Gate } from './gate';
import type { LoopName, Wiring } from './instance';
import type { Player } from './players';
import { createStage, type Figures, type Stage } from './stage';
import { startVirtualTime } from './virtual-time';

/**
 * One run of two instances of the matchmaking module on one database, with everything that can happen between them decided by a
 * seed: which of the commands under way goes out next and which reply comes in next, which is refused and whose reply is lost,
 * which loop ticks, what a player does, when time passes, who freezes, dies and starts again. Everything is at rest when the next
 * choice is made, so that the same seed makes the same run, whatever the machine does.
 *
 * After the storm comes a calm in which nothing fails: there, everything has to come to its end.
 */
export interface Outcome {
  /** Every choice. */
  trace: string[];
  figures: Figures;
}

export interface RunOptions {
  database: InProcessDatabase;
  gate: Gate;
  /** Plants a bug. */
  rewire?: (wiring: Wiring) => Wiring;
  /** Writes a digest of every command into the trace. */
  closely?: boolean;
}

/** A promise was broken: which seed shows it, and what happened last. */
export class Violation extends Error {
  override name = 'Violation';
  constructor(
    readonly seed: number,
    readonly trace: readonly string[],
    override readonly cause: Error,
  ) {
    const last = trace.slice(-25).map((line) => `    ${line}`);
    super(`seed ${seed} (SIMULATION_SEED=${seed} replays it): ${cause.message}, after\n${last.join('\n')}`, { cause });
  }
}

const STORM = 120;
/** Rounds of the calm until those who still search give up, and until it should long be over. */
const GIVE_UP = 3;
const NEVER_ENDS = 60;
/** Longer than any claim, lease or transaction of the dead. */
const ROUND_MS = 5_000;
const TICKS: LoopName[] = ['matchmaking', 'matchmaking', 'outbox'];

export async function simulate(
  seed: number,
  { database, gate, rewire = (wiring) => wiring, closely = false }: RunOptions,
): Promise<Outcome> {
  const trace: string[] = [];
  await database.clear();
  const random = seededRandom(seed);
  const time = startVirtualTime(seed);
  const stage = createStage({ seed, random, database, gate, rewire, time, trace, closely });
  try {
    await dawn(stage, random);
    await storm(stage, random);
    await calm(stage);
    return { trace, figures: stage.figures };
  } catch (error) {
    throw new Violation(seed, trace, error as Error);
  } finally {
    // what still runs may not run into the next one
    for (const instance of stage.instances) gate.kill(instance);
    await stage.settled();
    time.end();
  }
}

/** Both instances start and share out the pools, and everybody searches; in half of the runs two of them together. */
async function dawn(stage: Stage, random: () => number): Promise<void> {
  await atRest(stage);
  for (let round = 0; round < 2; round++) {
    for (const instance of stage.instances) stage.tick(instance, 'leases');
    await atRest(stage);
  }
  const [host, ...others] = stage.players as [Player, ...Player[]];
  if (random() < 0.5) {
    stage.act(host, stage.deeds.open(host));
    await atRest(stage);
    const [friend] = others.splice(0, 1) as [Player];
    stage.act(friend, stage.deeds.join(friend, host.partyId ?? ''));
    await atRest(stage);
  }
  stage.act(host, host.partyId === null ? stage.deeds.submit(host) : stage.deeds.queue(host, host.partyId));
  for (const player of others) stage.act(player, stage.deeds.submit(player));
  await atRest(stage);
}

async function storm(stage: Stage, random: () => number): Promise<void> {
  const { instances, players, pick } = stage;
  stage.note('storm');
  stage.weather = 'storm';

  const somethingNew = () => {
    if (random() < 0.45) return stage.tick(pick(instances), pick(TICKS));
    const player = pick(players.filter((each) => each.busy < 2));
    const deed = player && stage.deeds.next(player);
    if (deed) stage.act(player, deed);
  };

  /** It comes to whoever is in the middle of a transaction, if anybody is. */
  const misfortune = (calls: readonly Call[]) => {
    const within = calls.filter((call) => call.inTransaction);
    const by = within.length > 0 ? pick(within).by : pick(instances);
    const at = instances.findIndex((each) => each === by);
    if (random() < 0.7) stage.freeze(at);
    else stage.die(at);
  };

  /** Time matters to leases most of all. While somebody is asleep, much of it passes. */
  const later = async (asleep: number) => {
    await stage.pass(Math.floor(random() * (asleep < 0 ? 500 : 900)));
    for (const instance of instances.filter(({ frozen }) => !frozen)) stage.tick(instance, 'leases');
    if (asleep >= 0 && random() < 0.2) stage.freeze(asleep);
  };

  for (let step = 0; step < STORM; step++) {
    await stage.settled();
    const calls = stage.ready();
    const asleep = instances.findIndex(({ frozen }) => frozen);
    const chance = random();
    if (calls.length > 0 && chance < 0.75) await stage.goOn(pick(calls));
    else if (chance < (asleep < 0 ? 0.94 : 0.82)) somethingNew();
    else if (chance < 0.97 || asleep >= 0) await later(asleep);
    else misfortune(calls);
  }
}

/** Everything ticks, everybody looks, and whoever still searches after a while gives up. */
async function calm(stage: Stage): Promise<void> {
  const { instances, players, watch } = stage;
  stage.note('calm');
  stage.weather = 'calm';
  for (const [at, { frozen }] of instances.entries()) if (frozen) stage.freeze(at);
  for (let round = 0; ; round++) {
    await atRest(stage);
    if (await watch.isOver()) return watch.checkEnd();
    if (round === NEVER_ENDS) throw new Error('I2: it never comes to an end');
    if (round === GIVE_UP) await watch.checkNobodyForgotten();
    for (const player of players) {
      const { ticketId } = player;
      if (ticketId === null || round < GIVE_UP) stage.act(player, stage.deeds.look(player));
      else stage.act(player, stage.deeds.cancel(player, ticketId));
    }
    await atRest(stage);
    for (const loop of ['leases', 'matchmaking', 'outbox'] as const) {
      for (const instance of instances) stage.tick(instance, loop);
      await atRest(stage);
    }
    await stage.pass(ROUND_MS);
  }
}

/** Until nothing is under way. */
async function atRest(stage: Stage): Promise<void> {
  for (let patience = 1_000; patience > 0; patience--) {
    await stage.settled();
    const [call] = stage.ready();
    if (call) await stage.goOn(call);
    else if (stage.isBusy) await stage.pass(100);
    else return;
  }
  throw new Error('I2: something never ends');
}
