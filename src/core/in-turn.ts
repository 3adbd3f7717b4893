/**
 * Goes round through many items, a few at a time. A round has those who were there when it began, so that it ends however many come meanwhile.
 *
 * @returns the next ones, `most` at most
 */
export function inTurn<Item>(all: () => Iterable<Item>): (most: number) => Item[] {
  let round: Item[] = [];
  let at = 0;
  return (most) => {
    if (at >= round.length) [round, at] = [[...all()], 0];
    const next = round.slice(at, at + most);
    at += most;
    return next;
  };
}
