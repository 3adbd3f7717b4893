import { setTimeout as delay } from 'node:timers/promises';

/** In the thickest crowd, rounds begin no closer to each other than this: a command costs the same for one and for thirty. */
const GATHER_MS = 40;
/** So many calls within that time may be a crowd; fewer than that wait for nobody. */
const CROWD = 5;
/** So many are the thickest one; a smaller one waits less, in proportion. */
const THICKEST = 20;
/** Who asks again as soon as they are answered is no crowd: after a wait in which nobody came, nobody waits for so long. */
const IN_VAIN_MS = 250;

/**
 * Gathers calls into rounds: what is asked for while a round runs is answered, all together, by the next one. Alone, a call
 * goes out at once; under load rounds grow by themselves, and a thousand callers cost a handful of database commands. Where many
 * call, a round gathers them for a moment, even if the last one has been answered sooner.
 *
 * A call is only ever answered by a round that began after it, so that it sees everything that was written before it.
 *
 * @param work answers these, in their order; what it throws is thrown to everybody of the round
 * @param most items in one round: what is done for a whole round at once must not hold up everybody else for long
 */
export function inRounds<Item, Answer>(
  work: (items: readonly Item[]) => Promise<readonly Answer[]>,
  most = 100,
): (item: Item) => Promise<Answer> {
  let waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: unknown) => void }[] = [];
  let running = false;
  let begun = -Infinity;
  let patientFrom = -Infinity;
  const crowd = createCrowd();

  const gather = async () => {
    const now = performance.now();
    const pause = begun + crowd.patienceMs() - now;
    if (pause > 0 && now >= patientFrom && waiting.length < most) {
      await delay(pause);
      if (waiting.length === 1) patientFrom = performance.now() + IN_VAIN_MS;
    }
    begun = performance.now();
  };

  const run = async () => {
    while (waiting.length > 0) {
      await gather();
      const round = waiting.slice(0, most);
      waiting = waiting.slice(most);
      try {
        const answers = await work(round.map(({ item }) => item));
        round.forEach(({ resolve }, i) => resolve(answers[i] as Answer));
      } catch (error) {
        for (const { reject } of round) reject(error);
      }
    }
    running = false;
  };

  return (item) =>
    new Promise((resolve, reject) => {
      waiting.push({ item, resolve, reject });
      crowd.grows();
      if (running) return;
      running = true;
      // those who ask in the same turn of the event loop are of the first round
      setImmediate(() => void run());
    });
}

/** How long a round may gather, by how many came lately: in this stretch of time or in the one just before. */
function createCrowd() {
  let ends = -Infinity;
  let came = 0;
  let cameBefore = 0;
  return {
    grows() {
      const now = performance.now();
      if (now >= ends) {
        cameBefore = now < ends + GATHER_MS ? came : 0;
        came = 0;
        ends = now + GATHER_MS;
      }
      came += 1;
    },
    patienceMs() {
      const size = Math.max(came, cameBefore);
      return size < CROWD ? 0 : GATHER_MS * Math.min(1, size / THICKEST);
    },
  };
}
