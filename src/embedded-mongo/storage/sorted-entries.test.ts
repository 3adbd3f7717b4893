import fc from 'fast-check';
import { SortedEntries } from './sorted-entries';

interface Rec {
  seq: number;
}
const recs: Rec[] = Array.from({ length: 40 }, (_, seq) => ({ seq }));
/** Few keys, so that many records share one, or so many that they fill several chunks. */
const key = fc.oneof(
  fc.constantFrom('a', 'b', 'c', 'd'),
  fc.nat({ max: 400 }).map((n) => String(n).padStart(3, '0')),
);
const change = fc.record({ adds: fc.boolean(), key, rec: fc.constantFrom(...recs) });

/** The same, as slow as it is plain. */
class Plain {
  private pairs: [string, Rec][] = [];

  add(key: string, rec: Rec): void {
    this.delete(key, rec);
    this.pairs.push([key, rec]);
    this.pairs.sort(([a, { seq: m }], [b, { seq: n }]) => (a < b ? -1 : a > b ? 1 : m - n));
  }

  delete(key: string, rec: Rec): void {
    this.pairs = this.pairs.filter((pair) => pair[0] !== key || pair[1] !== rec);
  }

  between = (from: string, to: string): [string, Rec][] => this.pairs.filter(([key]) => from <= key && key < to);
}

const filled = (changes: { adds: boolean; key: string; rec: Rec }[]): [SortedEntries<Rec>, Plain] => {
  const both: [SortedEntries<Rec>, Plain] = [new SortedEntries(), new Plain()];
  for (const { adds, key, rec } of changes) for (const each of both) each[adds ? 'add' : 'delete'](key, rec);
  return both;
};

describe('sorted entries', () => {
  it('are those that were added and not deleted, in order, whatever the range and the direction', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), key, key, (changes, from, to) => {
        const [entries, plain] = filled(changes);
        expect(entries.between(from, to)).toEqual(plain.between(from, to));
        expect(entries.between(from, to, true)).toEqual(plain.between(from, to).reverse());
        expect(entries.count(from, to)).toBe(plain.between(from, to).length);
      }),
      { numRuns: 500 },
    );
  });

  it('are found in all chunks, in which order soever they came', () => {
    const pairs = recs.flatMap((rec) => Array.from({ length: 101 }, (_, n) => [String(n).padStart(3, '0'), rec] as const));
    const shuffled = pairs.map((pair, i) => [(i * 7919) % pairs.length, pair] as const).sort(([a], [b]) => a - b);
    for (const order of [pairs, shuffled.map(([, pair]) => pair), pairs.toReversed()]) {
      const entries = new SortedEntries<Rec>();
      for (const [key, rec] of order) entries.add(key, rec);
      expect(entries.count('', 'x')).toBe(4040);
      expect(entries.between('', 'x').map(([key, { seq }]) => Number(key) * 100 + seq)).toEqual(
        Array.from({ length: 4040 }, (_, i) => Math.floor(i / 40) * 100 + (i % 40)),
      );
      for (let n = 0; n <= 100; n += 1) {
        const key = String(n).padStart(3, '0');
        expect([key, entries.count(key, key + '\0'), entries.count('', key)]).toEqual([key, 40, n * 40]);
      }
      for (const [key, rec] of order) entries.delete(key, rec);
      expect(entries.between('', 'x')).toEqual([]);
    }
  }); // prettier-ignore

  it('are offered until it is enough', () => {
    const [entries] = filled(recs.map((rec) => ({ adds: true, key: 'a', rec })));
    const seen: number[] = [];
    const visit = (_key: string, { seq }: Rec): boolean => seen.push(seq) === 3;
    expect(entries.each('a', 'b', visit)).toBe(true);
    expect(entries.each('a', 'b', visit, true)).toBe(false);
    expect(seen.slice(0, 6)).toEqual([0, 1, 2, 39, 38, 37]);
    expect(entries.each('b', 'a', visit)).toBe(false);
    expect(seen).toHaveLength(43);
  });
});
