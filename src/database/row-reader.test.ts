import { serialize } from 'bson';
import fc from 'fast-check';
import { Types } from 'mongoose';
import { createRowReader } from './row-reader';

const bytesOf = (row: object) => Buffer.from(serialize(row));
const read = (row: object) => createRowReader<object>()(bytesOf(row));

const name = fc.string().filter((text) => !text.includes('\0') && text !== '__proto__');
const { row } = fc.letrec((tie) => ({
  row: fc.dictionary(name, tie('value'), { noNullPrototype: true }),
  value: fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('strict', 'any'),
    fc.double({ noNaN: true }),
    fc.integer(),
    fc.maxSafeInteger(),
    fc.boolean(),
    fc.constant(null),
    fc.date({ noInvalidDate: true }),
    fc.array(tie('value')),
    tie('row'),
  ),
}));

describe('a row', () => {
  test('is read as it was written', () => {
    const reader = createRowReader<object>();
    fc.assert(fc.property(row, (written) => expect(reader(bytesOf(written as object))).toEqual(written)));
  });

  test('gives ids in hex, wherever they stand', () => {
    const [a, b] = [new Types.ObjectId(), new Types.ObjectId()];
    expect(read({ _id: a, players: [b], in: { of: b }, nobody: null })).toEqual({
      _id: a.toHexString(),
      players: [b.toHexString()],
      in: { of: b.toHexString() },
      nobody: null,
    });
  });

  test('gives integers of 64 bits, and dates before 1970', () => {
    const { big, then } = read({ big: -(2n ** 40n), then: new Date(-1) }) as { big: number; then: Date };
    expect(big).toBe(-(2 ** 40));
    expect(then).toEqual(new Date(-1));
  });

  test('tells long texts and those that look alike from each other, however many there are', () => {
    const texts = Array.from({ length: 10_000 }, (_, i) => `${i}`.padStart(i % 90, 'ä'));
    expect(read({ texts })).toEqual({ texts });
  });

  test.each([
    ['a pattern', /x/],
    ['a binary value', Buffer.from('x')],
  ])('with %s is refused: nothing is left out in silence', (_, value) => {
    expect(() => read({ value })).toThrow('BSON type');
  });

  test('that breaks off is refused', () => {
    const whole = bytesOf({ name: 'x', list: [1, 'y'] });
    for (let length = 5; length < whole.length - 1; length++)
      expect(() => createRowReader<object>()(whole.subarray(0, length))).toThrow();
  });

  test('cannot change what it is by the name of a field', () => {
    expect(() => read(JSON.parse('{"__proto__": {"a": 1}}') as object)).toThrow('such a name');
  });
});
