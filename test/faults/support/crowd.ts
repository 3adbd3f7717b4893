import { createLedger, type Ledger } from '../../../demo/ledger';
import { createRest } from '../../../demo/rest';
import type { Figures } from './figures';
import { arrive, PATIENCE_MS, type Person, type Scene } from './person';
import { watchStandstill } from './standstill';
import type { World } from './world';

/** Players who search, meet, report and search again while things break around them, and what they have counted and noted down. */
export interface Crowd {
  readonly ledger: Ledger;
  readonly figures: Figures;
  /** Everybody begins (again). */
  play(): void;
  /** Resolves when nobody searches any more: who finds nobody cancels. */
  rest(): Promise<void>;
  /** The moment, ms since the epoch, at which the next match after now was told of. */
  nextMatch(): Promise<number>;
  leave(): void;
}

export interface CrowdOptions {
  /** How long somebody searches before they cancel, ms; none: until they are told. */
  patienceMs?: () => number;
}

const AT_ONCE = 16;
/** So often everybody else may be matched before somebody who waits must have been forgotten. */
const OFTEN = 6;

const gathered: Crowd[] = [];
afterAll(() => gathered.splice(0).forEach((crowd) => crowd.leave()));

export async function gather(world: World, size: number, { patienceMs }: CrowdOptions = {}): Promise<Crowd> {
  const rest = createRest(world.url, 512);
  const ledger = createLedger();
  const figures: Figures = {
    tickets: 0,
    matches: 0,
    repeated: 0,
    failed: [],
    reconnected: 0,
    hadToAsk: 0,
    informedMs: [],
    caughtUpMs: [],
    cancels: { first: 0, late: 0 },
    stoodStillMs: 0,
  };
  const stopWatching = watchStandstill(figures);
  const told = new Set<(at: number) => void>();
  const scene: Scene = {
    world,
    rest,
    ledger,
    figures,
    // a pool of their own: whoever an earlier crowd left behind is not met here
    gameId: await world.addGame(),
    over: true,
    gone: false,
    matched: 0,
    mostPassedOver: OFTEN * size,
    told: () => told.forEach((tell) => tell(Date.now())),
    patienceMs,
    doing: new Map(),
  };
  const run = Date.now().toString(36);
  const people: Person[] = [];
  for (let from = 0; from < size; from += AT_ONCE)
    people.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, size - from) }, (_, i) => arrive(scene, `f_${run}_${from + i}`)),
      )),
    );
  let lives: Promise<void>[] = [];

  const crowd: Crowd = {
    ledger,
    figures,
    play() {
      scene.over = false;
      lives = people.map((person) => person.live());
    },
    async rest() {
      scene.over = true;
      await Promise.all(lives);
    },
    nextMatch: () =>
      new Promise((resolve, reject) => {
        const late = setTimeout(() => {
          told.delete(tell);
          reject(new Error(`no match within ${PATIENCE_MS} ms: ${ledger.audit().slice(0, 10).join('; ')}`));
        }, PATIENCE_MS);
        const tell = (at: number) => {
          clearTimeout(late);
          told.delete(tell);
          resolve(at);
        };
        told.add(tell);
      }),
    leave() {
      scene.over = true;
      scene.gone = true;
      stopWatching();
      for (const person of people) person.leave();
      rest.close();
    },
  };
  gathered.push(crowd);
  return crowd;
}
