/**
 * Gathers calls into rounds: what is asked for while a round runs is answered, all together, by the next one. Alone, a call
 * goes out at once; under load rounds grow by themselves, and a thousand callers cost a handful of database commands.
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

  const run = async () => {
    while (waiting.length > 0) {
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
      if (running) return;
      running = true;
      // those who ask in the same turn of the event loop are of the first round
      setImmediate(() => void run());
    });
}
