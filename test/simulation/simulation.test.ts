import { prepareGround } from './support';
import { simulate } from './simulation';
import type { Figures } from './stage';

/**
 * `npm run test:simulation` makes 2,000 runs; `SIMULATION_SEEDS=<n>` as many as that, `SIMULATION_SEED=17` that one alone. What a
 * run is: simulation.ts.
 */
const FIRST = Number(process.env['SIMULATION_SEED'] ?? 1);
const SEEDS = Number(process.env['SIMULATION_SEEDS'] ?? (process.env['SIMULATION_SEED'] ? 1 : 200));

const ground = prepareGround();

test(`I1 to I6 hold in ${SEEDS} storms over two instances, and everything comes to its end`, async () => {
  const sum = new Map<string, number>();
  for (let seed = FIRST; seed < FIRST + SEEDS; seed++) {
    const { figures } = await simulate(seed, ground);
    for (const [name, count] of Object.entries(figures)) sum.set(name, (sum.get(name) ?? 0) + count);
  }
  process.stdout.write(`  ${SEEDS} seeds from ${FIRST}: ${JSON.stringify(Object.fromEntries(sum))}\n`);
  // storms in which nobody meets, or nothing breaks, would prove nothing
  const wanted: (keyof Figures)[] = ['matches', 'tickets', 'refused', 'lost', 'deaths', 'freezes'];
  if (SEEDS >= 20) expect(wanted.filter((name) => (sum.get(name) ?? 0) < SEEDS / 4)).toEqual([]);
}, 3_600_000);

test('the same seed makes the same run, command by command', async () => {
  for (let seed = FIRST; seed < FIRST + 3; seed++) {
    const one = await simulate(seed, { ...ground, closely: true });
    const other = await simulate(seed, { ...ground, closely: true });
    expect(other.trace).toEqual(one.trace);
  }
}, 60_000);
