import type { Seeker } from './seeker';

/**
 * The tickets of a pool in a row by rating. Those with equal ratings form a run, longest waiting first. Runs are doubly
 * linked, so that those that are used up cost nothing to walk over; within a run a head moves past what was taken.
 */
export interface Row {
  has(seeker: Seeker): boolean;
  remove(seekers: readonly Seeker[]): void;
  /** Free tickets as seen from this one: nearest rating first, then longest waiting; itself left out. */
  outward(from: Seeker): Generator<Seeker, void, undefined>;
}

interface Run {
  rating: number;
  seekers: Seeker[];
  /** Everything before it is taken. */
  head: number;
  left: number;
  below: Run | undefined;
  above: Run | undefined;
}

/** @param byWaiting longest waiting first; this order holds within a run */
export function createRow(byWaiting: readonly Seeker[]): Row {
  const runs = new Map<number, Run>();
  for (const seeker of byWaiting) {
    const run = runs.get(seeker.rating);
    if (run) run.seekers.push(seeker);
    else
      runs.set(seeker.rating, {
        rating: seeker.rating,
        seekers: [seeker],
        head: 0,
        left: 0,
        below: undefined,
        above: undefined,
      });
  }
  let last: Run | undefined;
  for (const run of [...runs.values()].sort((a, b) => a.rating - b.rating)) {
    run.left = run.seekers.length;
    run.below = last;
    if (last) last.above = run;
    last = run;
  }
  const taken = new Set<Seeker>();

  const take = (seeker: Seeker) => {
    const run = runs.get(seeker.rating);
    if (!run) return;
    taken.add(seeker);
    run.left -= 1;
    while (run.head < run.seekers.length && taken.has(run.seekers[run.head] as Seeker)) run.head += 1;
    if (run.left > 0) return;
    if (run.below) run.below.above = run.above;
    if (run.above) run.above.below = run.below;
  };

  function* freeOf(run: Run): Generator<Seeker, void, undefined> {
    for (let i = run.head; i < run.seekers.length; i++) {
      const seeker = run.seekers[i] as Seeker;
      if (!taken.has(seeker)) yield seeker;
    }
  }

  return {
    has: (seeker) => !taken.has(seeker),
    remove: (seekers) => seekers.forEach(take),
    *outward(from) {
      const own = runs.get(from.rating);
      if (!own) return;
      for (const seeker of freeOf(own)) if (seeker !== from) yield seeker;
      let { below, above } = own;
      while (below ?? above) {
        const down = below ? own.rating - below.rating : Infinity;
        const up = above ? above.rating - own.rating : Infinity;
        if (below && (down < up || (down === up && waitedLonger(below, above)))) {
          yield* freeOf(below);
          below = below.below;
        } else if (above) {
          yield* freeOf(above);
          above = above.above;
        }
      }
    },
  };
}

function waitedLonger(a: Run, b: Run | undefined): boolean {
  const [first, second] = [a.seekers[a.head], b?.seekers[b.head]];
  return (first?.waitedMs ?? 0) >= (second?.waitedMs ?? 0);
}
