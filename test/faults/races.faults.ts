import { setTimeout as delay } from 'node:timers/promises';
import { between, PACE, SEED } from './support/chance';
import { gather, type Crowd } from './support/crowd';
import { figuresOf, report, settle } from './support/verdict';
import { startWorld, type World } from './support/world';

/** Cancels that meet the commit of a match on its way. */

const RACES = Number(process.env['FAULT_RACES'] ?? 1_000);
/** From before the next round of the engine until after its commit, at first: see `patience`. */
const LONGEST_MS = 250;
/** For one of them, among 24 players at once. */
const PATIENCE_MS = 500 * PACE;

let world: World;
let crowd: Crowd;
beforeAll(async () => {
  report('seed', { FAULT_SEED: SEED });
  world = await startWorld(2);
});
afterAll(() => world?.stop());
afterEach(() => crowd?.leave());

test(`${RACES} cancels race the commit: answered 204 it is never matched, and a lost race is answered 409`, async () => {
  // whoever has been losing comes earlier or later, until both win about as often: however fast the machine is, these are races
  const patience = () => LONGEST_MS * 1.05 ** (cancels.first - cancels.late);
  crowd = await gather(world, 24, { patienceMs: () => between(0, Math.round(patience())) });
  const { cancels } = crowd.figures;
  crowd.play();
  for (const until = Date.now() + RACES * PATIENCE_MS; cancels.first + cancels.late < RACES; await delay(200))
    if (Date.now() > until) throw new Error(`only ${JSON.stringify(cancels)}: ${crowd.ledger.audit().join('; ')}`);
  await settle(world, crowd);
  report(`${cancels.first + cancels.late} cancels against commits`, figuresOf(crowd));
  // races that always end alike are none
  expect(Math.min(cancels.first, cancels.late)).toBeGreaterThan(RACES / 20);
});
