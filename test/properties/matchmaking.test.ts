import fc from 'fast-check';
import { manualClock } from '../../src/core/clock';
import { addGame, databaseOf } from '../support/matchmaking';
import { startTestServer } from '../support/server';
import { createWatch, nobodyLeftOver } from './invariants';
import { MODES, type ModeName } from './promises';
import { createWorld, endAll, perform, type Step, type World } from './world';

/**
 * The promises of matchmaking under random use: tickets, parties, cancels, changes, answers to proposals, blocks, expiries,
 * reconnects and rounds in any order, one after the other and at the same moment, on a whole server. A failing run is
 * shrunk to a short list of steps and printed with its seed.
 */

const PLAYERS = 7;
/** More runs and other seeds find more: PROPERTY_RUNS=200 PROPERTY_SEED=$RANDOM. */
const NUM_RUNS = Number(process.env['PROPERTY_RUNS'] ?? 5);
const SEED = Number(process.env['PROPERTY_SEED'] ?? 4);
const who = fc.nat({ max: PLAYERS - 1 });
const preference = fc.constantFrom('strict' as const, 'preferred' as const, 'any' as const);
const wishes = fc.record({
  regions: fc.constantFrom<string[]>([], [], ['EU'], ['NA'], ['EU', 'NA']),
  regionPreference: preference,
  languages: fc.constantFrom<string[]>([], [], ['en'], ['de']),
  languagePreference: preference,
});
const modes = fc.subarray(Object.keys(MODES) as ModeName[], { minLength: 1, maxLength: 3 });

const single: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('submit' as const),
      who,
      wishes: fc.tuple(wishes, modes).map(([asked, named]) => ({ ...asked, modes: named })),
      expiresInSeconds: fc.constantFrom(30, 90, 600),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('queueParty' as const),
      who,
      friend: who,
      mode: fc.constantFrom('band' as const, 'pairs' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('cancel' as const), who }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('change' as const), who, wishes }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('accept' as const, 'accept', 'decline' as const), who }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('leaveMatch' as const, 'reconnect' as const), who }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('block' as const), who, whom: who }) },
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: single },
  { weight: 5, arbitrary: fc.constant<Step>({ do: 'tick' }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: 'goOn' }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('rush' as const),
      who,
      wishes,
      mode: fc.constantFrom(...(Object.keys(MODES) as ModeName[])),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ do: fc.constant('wait' as const), seconds: fc.constantFrom(1, 1, 5, 5, 16, 25, 61) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('together' as const),
      steps: fc.array(single, { minLength: 2, maxLength: 5 }),
    }),
  },
);

test(
  'whatever players do, I1 to I8 hold after every step',
  async () => {
    // it starts at the real time, for what the database itself lets expire, and moves by hand
    const clock = manualClock(Date.now());
    const server = await startTestServer({ clock, runLoops: false, env: { ACCESS_TOKEN_SECONDS: '86400' } });
    const database = await databaseOf(server);
    const gameId = await addGame(server, MODES);
    let formed = 0;

    const run = async (steps: Step[]) => {
      const world: World = await createWorld({ server, database, gameId, clock }, PLAYERS);
      const watch = createWatch(world);
      try {
        for (const each of steps) {
          await perform(world, each);
          await watch.check();
          if (each.do === 'tick') await nobodyLeftOver(world);
        }
      } finally {
        await endAll(world);
      }
      await watch.check();
      await watch.checkEnds();
      formed = await database.collection('matches').countDocuments({ formedAt: { $ne: null } });
    };

    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 50, size: 'max' }), run), {
      numRuns: NUM_RUNS,
      seed: SEED,
      endOnFailure: false,
    });
    // runs in which nobody meets would prove nothing
    expect(formed).toBeGreaterThanOrEqual(NUM_RUNS);
  },
  60_000 + 10_000 * NUM_RUNS,
);
