import { createHash } from 'node:crypto';
import type { Ids } from '../../src/core/ids';
import { seededRandom, type Random } from '../../src/core/random';
import type { InProcessDatabase } from './database';
import type { Call, Gate } from './gate';
import { createInstance, type Instance, type LoopName, type Surroundings } from './instance';
import { createDeeds, newPlayer, type Deed, type Ledger, type Player } from './players';
import type { VirtualTime } from './virtual-time';
import { createWatch, type Watch } from './watch';

/** Everything that can happen in a simulation, one thing at a time; what happens when is chosen in `simulation.ts`. */
export interface Stage {
  readonly instances: readonly Instance[];
  readonly players: readonly Player[];
  readonly figures: Figures;
  readonly watch: Watch;
  readonly deeds: ReturnType<typeof createDeeds>;
  /** Nothing fails while it is calm. */
  weather: 'calm' | 'storm';
  readonly pick: <Item>(items: readonly Item[]) => Item;
  note(line: string): void;
  /** Whether something has been begun and not ended. */
  readonly isBusy: boolean;
  /** The calls under way that may go on. */
  ready(): readonly Call[];
  /** One of them goes one step on: out, in, or neither. */
  goOn(call: Call): Promise<void>;
  tick(instance: Instance, loop: LoopName): void;
  act(player: Player, deed: Deed): void;
  pass(ms: number): Promise<void>;
  freeze(at: number): void;
  die(at: number): void;
  /** Until nothing moves: everything waits for a choice, or for time. */
  settled(): Promise<void>;
}

export interface Figures {
  commands: number;
  refused: number;
  lost: number;
  blocked: number;
  deaths: number;
  freezes: number;
  tickets: number;
  matches: number;
  matchesOfParties: number;
}

export interface StageDeps {
  seed: number;
  random: Random;
  database: InProcessDatabase;
  gate: Gate;
  rewire: Surroundings['rewire'];
  time: VirtualTime;
  trace: string[];
  /** Digests of what the commands say stand in the trace too. */
  closely: boolean;
}

const PLAYERS = 5;
const REFUSED = 0.03;
const REPLY_LOST = 0.03;
const REPLY_WAITS = 0.2;
const NEWS_MISSED = 0.2;
/** What may break a promise: nothing else makes a change visible. */
const DECIDES = /^insert tickets$|^(update|findAndModify) (tickets|matches)$|^commitTransaction$/;

export function createStage({ seed, random, database, gate, rewire, time, trace, closely }: StageDeps): Stage {
  const ids = seededIds(seededRandom(seed + 1));
  const gameId = ids.id();
  const players = Array.from({ length: PLAYERS }, () => newPlayer(ids.id()));
  const ledger: Ledger = { promised: new Set(), cancelled: new Set(), blocks: new Map(), doubts: 0 };
  const told = new Set<string>();
  const watch = createWatch(database, ledger, told);
  const counts = { commands: 0, refused: 0, lost: 0, blocked: 0, deaths: 0, freezes: 0 };
  const running = new Set<string>();

  const note = (line: string) => void trace.push(`${time.passed} ${line}`);
  const pick: Stage['pick'] = (items) => items[Math.floor(random() * items.length)] as (typeof items)[number];

  const send: Surroundings['send'] = (from, userId, name, body) => {
    const player = players.find((each) => each.userId === userId);
    if (!player) return;
    if (name === 'matchmaking:matched') told.add(`${String(body['matchId'])} ${userId}`);
    // the player is away, or on another instance while Redis is
    if (stage.weather === 'storm' && random() < NEWS_MISSED) return;
    note(`${from.name} says ${name} to ${nameOf(player)}`);
    player.hear(name, body);
  };

  /** Starts something on an instance; it goes on by the choices made of its calls. What it throws is an outcome like any other. */
  const begin = (instance: Instance, what: string, work: () => Promise<unknown>) => {
    const key = `${instance.id} ${what}`;
    if (running.has(key)) return;
    note(`${instance.name} begins ${what}`);
    running.add(key);
    const ends = () => void running.delete(key);
    void gate.run(instance, work).then(ends, ends);
  };

  const bring = (name: string): Instance => {
    const skewMs = Math.round(random() * 50 - 25);
    const instance = createInstance(name, skewMs, { gate, ids, gameId, send, rewire });
    begin(instance, 'to live', () => instance.start());
    return instance;
  };

  const goOut = async (call: Call) => {
    counts.commands += 1;
    note(`${call.by.name} ${call.what} goes out${closely ? ` ${digest(call.command)}` : ''}`);
    const state = await gate.execute(call);
    if (DECIDES.test(call.what) && !call.inTransaction) await watch.check(call.by as Instance);
    if (state === 'blocked') counts.blocked += 1;
    else if (stage.weather === 'calm' || random() >= REPLY_WAITS) gate.deliver(call);
  };

  const stage: Stage = {
    instances: [],
    players,
    watch,
    weather: 'calm',
    get figures() {
      const { matches, matchesOfParties } = watch;
      return { ...counts, tickets: ledger.promised.size, matches, matchesOfParties };
    },
    get isBusy() {
      return running.size > 0;
    },
    deeds: createDeeds(ledger, { random, gameId, players }),
    pick,
    note,
    ready: () => gate.calls.filter((call) => call.state !== 'blocked' && !(call.by as Instance).frozen),
    async goOn(call) {
      const fails = stage.weather === 'calm' ? 1 : random();
      const label = `${call.by.name} ${call.what}`;
      if (call.state === 'waiting' && fails >= REFUSED) return goOut(call);
      if (call.state === 'answered' && fails >= REPLY_LOST) {
        note(`${label} comes in`);
        return gate.deliver(call);
      }
      counts[call.state === 'waiting' ? 'refused' : 'lost'] += 1;
      note(`${label} ${call.state === 'waiting' ? 'is refused' : 'loses its reply'}`);
      gate.refuse(call);
    },
    tick: (instance, loop) => begin(instance, loop, async () => instance.loops.get(loop)?.tick()),
    act(player, deed) {
      const instance = pick(stage.instances);
      begin(instance, `${nameOf(player)} ${deed.what} ${trace.length}`, () => deed.on(instance));
    },
    async pass(ms) {
      time.advance(ms);
      await gate.unblock();
    },
    freeze(at) {
      const instance = stage.instances[at] as Instance;
      instance.frozen = !instance.frozen;
      counts.freezes += instance.frozen ? 1 : 0;
      note(`${instance.name} ${instance.frozen ? 'freezes' : 'goes on'}`);
    },
    die(at) {
      const victim = stage.instances[at] as Instance;
      counts.deaths += 1;
      note(`${victim.name} dies`);
      gate.kill(victim);
      for (const key of running) if (key.startsWith(victim.id)) running.delete(key);
      places[at] = bring(`${victim.name}'`);
    },
    async settled() {
      for (let quiet = 0, seen = gate.arrivals; quiet < 3; quiet++) {
        await new Promise(setImmediate);
        if (gate.arrivals === seen) continue;
        seen = gate.arrivals;
        quiet = 0;
      }
    },
  };
  const places = stage.instances as Instance[];
  places.push(bring('A'), bring('B'));
  return stage;
}

const nameOf = ({ userId }: Player): string => userId.slice(-2);

function seededIds(random: Random): Ids {
  const hex = (digits: number) => Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join('');
  return { id: () => hex(24), uuid: () => hex(32), secret: (bytes) => hex(bytes) };
}

/** Of what a command says; which session it belongs to is the driver's choice. */
function digest(command: Record<string, unknown>): string {
  const { lsid: _, txnNumber: __, $clusterTime: ___, ...said } = command;
  return createHash('sha1').update(JSON.stringify(said)).digest('hex').slice(0, 8);
}
