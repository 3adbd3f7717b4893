import { Binary, BSONSymbol, Code, Int32, serialize } from 'bson';
import fc from 'fast-check';
import { doc } from '../testing/arbitrary-values';
import { decodeDocument } from './bson-decode';
import { encodeDocument, Written } from './bson-encode';
import { type Doc } from './bson-types';

const same = (document: Doc): void =>
  expect(encodeDocument(document).toString('hex')).toBe(Buffer.from(serialize(document)).toString('hex'));

describe('what is written', () => {
  it('are the bytes that bson writes, of any document', () => {
    fc.assert(fc.property(doc, same), { numRuns: 2000 });
  });

  it('are those bytes of the rarer types, too', () => {
    const bytes = Buffer.from('some bytes, and more than sixteen of them');
    same({ symbol: new BSONSymbol('s'), scoped: new Code('f()', { x: new Int32(1), y: {} }), scopeless: new Code('f()') });
    same({ old: new Binary(bytes, 2), uuid: new Binary(bytes.subarray(0, 16), 4), empty: new Binary() });
    same({ int: 7, least: -(2 ** 31), above: 2 ** 31, fraction: 0.5, zero: -0, nan: NaN, big: 2n ** 62n });
    same({ before: new Date(-1), late: new Date(8.64e15), early: new Date(-8.64e15) });
    same({ missing: undefined, within: [undefined, null, [undefined]] });
    same({ ümlaut: 'ü', half: '\ud800', pair: '😀', zero: 'a\0b', long: 'x'.repeat(100), longer: 'ü'.repeat(1000) });
  }); // prettier-ignore

  it('can be read again, and each identifier is its own', () => {
    fc.assert(
      fc.property(doc, doc, (a, b) => {
        const bytes = encodeDocument({ a, b });
        expect(encodeDocument(decodeDocument(bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it('can be put into another document', () => {
    const inner = { a: [new Int32(1), 'two'] };
    const outer = { list: [new Written(encodeDocument(inner)), new Written(encodeDocument({}))], last: true };
    expect(encodeDocument(outer).equals(serialize({ list: [inner, {}], last: true }))).toBe(true);
  });

  it('may fill a document of the greatest size, with text of whatever width', () => {
    for (const text of ['x'.repeat(16_000_000), 'ü'.repeat(8_000_000)]) expect(encodeDocument({ text }).length).toBe(16_000_016);
  }); // prettier-ignore

  it('begins behind the room that was asked for', () => {
    const document = { a: 'b' };
    expect(encodeDocument(document, 5).subarray(5).equals(encodeDocument(document))).toBe(true);
  });

  it.each([
    ['one text', { text: 'x'.repeat(18_000_000) }],
    ['binary data', { binary: new Binary(Buffer.alloc(18_000_000)) }],
    ['many fields', { list: Array.from({ length: 2_000_000 }, () => new Int32(1)) }],
  ])('is at most what a reply can be: %s', (_name, large) => {
    expect(() => encodeDocument(large)).toThrow(/BSONObj size: \d+ is invalid/);
    same({ small: 'again' });
  });
});
