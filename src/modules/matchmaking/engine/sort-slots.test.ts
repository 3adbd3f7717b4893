import fc from 'fast-check';
import { Slots } from './slots';
import { sortAtOnce } from './sort-slots';

/** So many that they are not compared one by one, of which a share is alike. */
const COUNT = 4000;
const shares = fc.constantFrom(1, 3, 20, COUNT);

describe('sorting many tickets', () => {
  it('gives the order of the pool, whatever their ratings, waiting and lots have in common', () => {
    fc.assert(
      fc.property(shares, shares, shares, fc.constantFrom(0, 25, 1e300), (ratings, waits, lots, outlier) => {
        const slots = new Slots();
        for (let i = 0; i < COUNT; i++) {
          const slot = slots.take();
          slots.rating[slot] = i === 0 ? outlier : ((i * 7919) % ratings) * 0.7 - 0;
          slots.since[slot] = 1.7e12 + ((i * 104_729) % waits);
          slots.tie[slot] = ((i * 1299) % lots) * 1_000_003;
          slots.ids[slot] = String((i * 31) % COUNT).padStart(5, '0');
        }
        const all = Int32Array.from({ length: COUNT }, (_, slot) => slot);
        const expected = [...all].sort((a, b) => (slots.before(a, b) ? -1 : 1));
        expect([...sortAtOnce(all, slots)]).toEqual(expected);
      }),
      { numRuns: 15 },
    );
  });
});
