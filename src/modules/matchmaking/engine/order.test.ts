import fc from 'fast-check';
import { Order, type Place } from './order';
import { Slots } from './slots';

/** So few ratings that most have equals, and waiting or the lot decides. */
function slotsOf(count: number): Slots {
  const slots = new Slots();
  for (let i = 0; i < count; i++) {
    const slot = slots.take();
    slots.rating[slot] = (i * 7919) % 50;
    slots.since[slot] = i % 3;
    slots.tie[slot] = (i * 104729) % 1000;
    slots.ids[slot] = String(i).padStart(5, '0');
  }
  return slots;
}

const COUNT = 3000;
const all = Array.from({ length: COUNT }, (_, slot) => slot);
const some = fc.uniqueArray(fc.integer({ min: 0, max: COUNT - 1 }), { maxLength: 1500 });
const change = fc.oneof(
  fc.record({ what: fc.constant('insertAll' as const), slots: some }),
  fc.record({ what: fc.constantFrom('insert' as const, 'remove' as const), slots: some }),
);

describe('the order of a pool', () => {
  const slots = slotsOf(COUNT);
  const at = (order: Order, place: Place) => order.chunkAt(place)?.slots[place.index] ?? -1;
  const sorted = (list: Iterable<number>) => [...list].sort((a, b) => (slots.before(a, b) ? -1 : 1));

  it('lists whoever came and has not left, sorted, whatever came and left in whatever way', () => {
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const order = new Order(slots);
        const here = new Set<number>();
        for (const { what, slots: named } of changes)
          if (what === 'remove') for (const slot of named) expect(order.remove(slot)).toBe(here.delete(slot));
          else {
            const coming = named.filter((slot) => !here.has(slot));
            if (what === 'insertAll') order.insertAll(Int32Array.from(sorted(coming)));
            else for (const slot of coming) order.insert(slot);
            for (const slot of coming) here.add(slot);
          }
        expect([...order.toArray()]).toEqual(sorted(here));
        expect(order.size).toBe(here.size);
      }),
      { numRuns: 60 },
    );
  });

  it('is walked in both directions from any rating, also where tickets have left on the way', () => {
    const order = new Order(slots);
    order.insertAll(Int32Array.from(sorted(all)));
    const left = sorted(all.filter((slot) => slot % 5 < 2));
    for (const slot of all) if (slot % 5 >= 2) order.remove(slot);
    for (const rating of [-1, 0, 17, 25.5, 49, 50]) {
      const up: Place = { chunk: 0, index: 0 };
      order.placeOf(rating, up);
      const down = { ...up };
      const above: number[] = [];
      for (; at(order, up) >= 0; order.forward(up)) above.push(at(order, up));
      expect(above).toEqual(left.filter((slot) => (slots.rating[slot] ?? 0) >= rating));
      const below: number[] = [];
      for (order.back(down); at(order, down) >= 0; order.back(down)) below.push(at(order, down));
      expect(below.reverse()).toEqual(left.filter((slot) => (slots.rating[slot] ?? 0) < rating));
    }
  });
});
