import fc from 'fast-check';
import { beginsWith, searchKeys, searchPrefix } from './search-text';

test('whatever is typed is a range of keys that begin so, and nothing else', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, typed) => {
      const prefix = searchPrefix(typed);
      const { $gte, $lt } = beginsWith(prefix).searchKeys.$elemMatch;
      // MongoDB compares by UTF-8, as buffers do
      const order = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b));
      for (const key of searchKeys([name]))
        expect(order(key, $gte) >= 0 && order(key, $lt) < 0).toBe(key.startsWith(prefix));
    }),
  );
});

test('a name is found by itself, as it is or shouted', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[A-Za-z0-9_.-]{3,24}$/), (name) => {
      fc.pre(searchPrefix(name) !== '');
      for (const typed of [name, name.toUpperCase()])
        expect(searchKeys([name]).some((key) => key.startsWith(searchPrefix(typed)))).toBe(true);
    }),
  );
});
