import { z, type ZodType } from 'zod';
import { notation } from './schema-notation';

const written = (schema: ZodType) => notation(z.toJSONSchema(schema, { io: 'input' }));

test.each([
  ['a type', z.boolean(), 'boolean'],
  ['one of some words', z.enum(['a', 'b']), '"a" | "b"'],
  ['something or nothing', z.number().nullable(), 'number | null'],
  ['a list', z.array(z.string()), 'string[]'],
  ['a list of alternatives', z.array(z.union([z.string(), z.number()])), '(string | number)[]'],
  ['anything', z.unknown(), 'anything'],
  ['nothing', z.strictObject({}), '{}'],
  ['a map', z.record(z.string(), z.number()), '{\n  [name]: number\n}'],
])('%s', (_what, schema, expected) => {
  expect(written(schema)).toBe(expected);
});

test('an object: a field on a line, with its limits and its meaning', () => {
  const inner = z.object({ ids: z.array(z.string()).max(3) });
  const schema = z.object({
    name: z.string().min(1).max(20),
    size: z.number().min(2).default(5).describe('Seats'),
    inner,
  });
  expect(written(schema)).toBe(`{
  name: string  // 1 to 20 characters
  size?: number  // at least 2, default 5; Seats
  inner: {
    ids: string[]  // at most 3 items
  }
}`);
});

test('a schema with a name is written as its name', () => {
  const named = z.object({ a: z.string() }).meta({ id: 'Named' });
  expect(written(z.object({ one: named, many: z.array(named) }))).toBe('{\n  one: Named\n  many: Named[]\n}');
});
