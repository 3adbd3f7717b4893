import fc from 'fast-check';
import { plain, searchKeys, searchPrefix } from './search-text';

const finds = (typed: string, ...names: string[]): boolean =>
  searchKeys(names).some((key) => key.startsWith(searchPrefix(typed)));

describe('search by prefix', () => {
  test.each([
    ['cou', 'Counter-Strike 2'],
    ['Counter Strike', 'Counter-Strike 2'],
    ['STRIKE 2', 'Counter-Strike 2'],
    ['2', 'Counter-Strike 2'],
    ['counterstr', 'Counter-Strike 2'],
    ['pokemon', 'Pokémon UNITE'],
    ['POKÉMON', 'Pokémon UNITE'],
    ['baldurs', 'Baldur’s Gate 3'],
    ["baldur's g", 'Baldur’s Gate 3'],
    ['원신', '원신'],
  ])('%j finds %s', (typed, name) => expect(finds(typed, name)).toBe(true));

  test.each([
    ['ounter', 'Counter-Strike 2'],
    ['strike counter', 'Counter-Strike 2'],
    ['.*', 'Counter-Strike 2'],
  ])('%j does not find %s', (typed, name) => {
    const prefix = searchPrefix(typed);
    expect(prefix !== '' && finds(typed, name)).toBe(false);
  });

  test('a thing is found by its other names', () => expect(finds('csgo', 'Counter-Strike 2', 'CS:GO')).toBe(true));

  test('signs alone are nothing to search for', () => {
    for (const typed of ['', '   ', '.*', '$^()[]', '’']) expect(searchPrefix(typed)).toBe('');
    expect(searchKeys(['!!!', '…'])).toEqual([]);
  });

  test('whatever something is called, every beginning of its name finds it, and there are few and short keys', () => {
    const name = fc.string({ minLength: 1, maxLength: 100, unit: 'grapheme' });
    fc.assert(
      fc.property(name, fc.nat(63), (called, length) => {
        const keys = searchKeys([called]);
        expect(keys.length).toBeLessThanOrEqual(13);
        for (const key of keys) expect(key.length).toBeLessThanOrEqual(64);
        const start = searchPrefix(called).slice(0, length);
        if (start.trim() !== '') expect(keys.some((key) => key.startsWith(start))).toBe(true);
      }),
    );
  });

  test('plain text stays as it is when it is made plain again', () =>
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), (typed) => expect(plain(plain(typed))).toBe(plain(typed)))));
});
