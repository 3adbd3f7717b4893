/** A walk of named steps, one after the other; the first that fails ends it. Each is printed with the time it took. */
export interface Walk {
  step: <Result>(name: string, work: () => Promise<Result>) => Promise<Result>;
  /** What could not be looked at, and why. */
  skip: (name: string, why: string) => void;
  /** Done in the end whatever happened, the last one first. */
  later: (name: string, work: () => Promise<void>) => void;
}

export interface Outcome {
  steps: number;
  skipped: number;
  /** What failed: of the walk at most one, and of the cleaning up all. */
  failures: string[];
}

/** @param say prints one line */
export async function walk(way: (walk: Walk) => Promise<void>, say: (line: string) => void): Promise<Outcome> {
  const outcome: Outcome = { steps: 0, skipped: 0, failures: [] };
  const cleaners: [string, () => Promise<void>][] = [];
  const failed = (name: string, error: unknown) => {
    outcome.failures.push(`${name}: ${(error as Error).message}`);
    say(`  ✗         ${name}\n            ${(error as Error).message}`);
  };
  try {
    await way({
      async step(name, work) {
        const begun = performance.now();
        try {
          const result = await work();
          outcome.steps += 1;
          say(`  ✓ ${`${Math.round(performance.now() - begun)} ms`.padStart(7)} ${name}`);
          return result;
        } catch (error) {
          failed(name, error);
          throw new StepFailed();
        }
      },
      skip(name, why) {
        outcome.skipped += 1;
        say(`  -         ${name}: ${why}`);
      },
      later: (name, work) => void cleaners.push([name, work]),
    });
  } catch (error) {
    if (!(error instanceof StepFailed)) failed('the walk', error);
  }
  for (const [name, work] of cleaners.reverse()) await work().catch((error: unknown) => failed(name, error));
  return outcome;
}

class StepFailed extends Error {}

/** @throws Error saying what was wanted and what came */
export function expectThat(holds: boolean, otherwise: string): void {
  if (!holds) throw new Error(otherwise);
}
