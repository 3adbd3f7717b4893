import fc from 'fast-check';

/** What an attacker sends, made from the schemas of the API: nearly right, and wrong at any depth. */

export interface JsonSchema {
  [keyword: string]: unknown;
  $ref?: string;
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  enum?: unknown[];
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
}

/** Own properties, as a parser of JSON makes them. */
const parsed = (json: string): unknown => JSON.parse(json);
const nested = (depth: number) => parsed(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`);

const TEXTS = [
  '',
  ' ',
  '\u0000',
  '\ud800',
  '\u202e\u200b',
  '👩‍👩‍👧‍👦'.repeat(20),
  'İıſK',
  "'; DROP TABLE users; --",
  '<script>alert(1)</script>',
  '{{7*7}}${7*7}',
  '../../etc/passwd',
  '%00%ff',
  '$where',
  '__proto__',
  'constructor',
  'NaN',
  '-1',
  '1e400',
  '9999-99-99T99:99:99Z',
  `${'a'.repeat(5_000)}!`,
  `${'a-'.repeat(3_000)}@`,
  `a@${'b.'.repeat(3_000)}`,
];

const THINGS = [
  null,
  true,
  0,
  -1,
  1.5,
  1e308,
  -1e308,
  Number.MAX_SAFE_INTEGER + 2,
  [],
  {},
  [[[[]]]],
  Array.from({ length: 1_000 }, (_, i) => i),
  { $ne: null },
  { $gt: '' },
  { $where: 'sleep(5000)' },
  { $regex: '(a+)+$' },
  { toString: 1, valueOf: null },
  { length: 1e9 },
  parsed('{"__proto__":{"role":"admin"}}'),
  parsed('{"constructor":{"prototype":{"role":"admin"}}}'),
  nested(200),
];

export const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...TEXTS),
  fc.constantFrom<unknown>(...THINGS),
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.double(),
  fc.jsonValue({ maxDepth: 3 }),
);

const EXTRAS = ['__proto__', 'constructor', '$where', 'role', '_id', 'a.b', 'toString', ''];

/** @param ids that exist, of things of all kinds */
export function fromSchemas(schemas: Record<string, JsonSchema>, ids: readonly string[]) {
  const resolve = (schema: JsonSchema): JsonSchema => {
    const name = schema.$ref?.split('/').at(-1);
    return name === undefined ? schema : resolve(schemas[name] ?? {});
  };

  /** Mostly as it should be. */
  const node = (schema: JsonSchema, depth = 0): fc.Arbitrary<unknown> =>
    fc.oneof({ weight: 6, arbitrary: valid(schema, depth) }, { weight: 1, arbitrary: hostile });

  const object = (schema: JsonSchema, depth: number): fc.Arbitrary<unknown> => {
    const { properties = {}, required = [] } = schema;
    const fields = Object.fromEntries(Object.entries(properties).map(([name, each]) => [name, node(each, depth + 1)]));
    const known = fc.record(fields, { requiredKeys: required.filter((name) => name in fields) });
    const extra = fc.oneof(
      { weight: 8, arbitrary: fc.constant({}) },
      {
        weight: 1,
        arbitrary: fc.tuple(fc.constantFrom(...EXTRAS), hostile).map((entry) => Object.fromEntries([entry])),
      },
    );
    return fc.tuple(known, extra).map(([body, more]) => ({ ...body, ...more }));
  };

  const valid = (given: JsonSchema, depth: number): fc.Arbitrary<unknown> => {
    const schema = resolve(given);
    const choices = schema.anyOf ?? schema.oneOf ?? schema.allOf;
    if (depth > 8) return hostile;
    if ('const' in schema) return fc.constant(schema['const']);
    if (schema.enum) return fc.constantFrom(...schema.enum);
    if (choices) return fc.oneof(...choices.map((choice) => valid(choice, depth + 1)));
    switch ([schema.type].flat()[0]) {
      case 'object':
        return object(schema, depth);
      case 'array':
        return fc.array(node(schema.items ?? {}, depth + 1), { maxLength: 5 });
      case 'string':
        return text(schema);
      case 'integer':
      case 'number': {
        const { minimum: min = -5, maximum: max = 500 } = schema as { minimum?: number; maximum?: number };
        return fc.integer({ min, max: Math.max(min, max) });
      }
      case 'boolean':
        return fc.boolean();
      case 'null':
        return fc.constant(null);
      default:
        return hostile;
    }
  };

  const text = ({ pattern, format, minLength = 0, maxLength = 60 }: JsonSchema): fc.Arbitrary<unknown> => {
    if (pattern === '^[0-9a-f]{24}$') return fc.constantFrom(...ids, 'f'.repeat(24));
    if (format === 'date-time') return fc.date({ noInvalidDate: true }).map((date) => date.toISOString());
    if (format === 'email') return fc.constantFrom('a@example.test', `${'a'.repeat(64)}@example.test`);
    if (format === 'uri') return fc.constantFrom('https://example.test/a.png', 'javascript:alert(1)', 'https://[');
    return fc.string({
      unit: 'grapheme',
      minLength: minLength as number,
      maxLength: Math.max(minLength as number, Math.min(maxLength as number, 80)),
    });
  };

  return { node, valid: (schema: JsonSchema) => valid(schema, 0) };
}
