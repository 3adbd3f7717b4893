/** Runs `work` over the items, at most `width` at a time, in order; the first failure is thrown after the others ended. */
export async function inParallel<Item>(
  items: readonly Item[],
  width: number,
  work: (item: Item, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < items.length; i = next++) await work(items[i] as Item, i);
  };
  const ended = await Promise.allSettled(Array.from({ length: Math.min(width, items.length) }, worker));
  for (const result of ended) if (result.status === 'rejected') throw result.reason;
}
