import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { ruleSetSchema, widening } from '../../src/modules/games/rule-set';

/** docs/rule-sets.md against the schema: every example is valid, every field is there with its default. */

const page = readFileSync(join(__dirname, '../../docs/rule-sets.md'), 'utf8');
const examples = [...page.matchAll(/```json\n(.*?)```/gs)].map(([, text = '']) => JSON.parse(text) as unknown);
const [rules = [], widenings = []] = page
  .split('A limit that widens')
  .map((part) => [...part.matchAll(/^\| `([\w.[\]]+)` +\| (.*?) +\|/gm)].map(([, path, initial]) => [path, initial]));

interface JsonSchema {
  anyOf?: JsonSchema[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  default?: unknown;
  type?: string;
}

/** Path and default of every field; `stopAt` are described in a table of their own. */
function fieldsOf(schema: JsonSchema, stopAt: (schema: JsonSchema) => boolean, prefix = ''): [string, string][] {
  const object = schema.anyOf?.find((choice) => choice.properties) ?? schema;
  return Object.entries(object.properties ?? {}).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const inner = field.anyOf?.find(({ type }) => type !== 'null') ?? field;
    const nested = stopAt(inner)
      ? []
      : field.type === 'array'
        ? fieldsOf(field.items ?? {}, stopAt, `${path}[].`)
        : fieldsOf(field, stopAt, `${path}.`);
    // a plain group of fields has no line of its own
    if (nested.length > 0 && field.type === 'object') return nested;
    const required = object.required?.includes(name) && !('default' in field);
    const initial = typeof field.default === 'string' ? field.default : JSON.stringify(field.default);
    return [[path, required ? 'required' : initial] as [string, string], ...nested];
  });
}

const jsonSchema = (schema: z.ZodType) => {
  const whole = z.toJSONSchema(schema, { io: 'input' }) as JsonSchema & { $defs?: Record<string, JsonSchema> };
  // a schema with an id stands under it
  return whole.$defs?.['RuleSet'] ?? whole;
};
const widens = (schema: JsonSchema) => schema.properties?.['interpolate'] !== undefined;

it.each(examples.map((example, i) => [i + 1, example] as const))(
  'example %i is a valid rule set',
  (_number, example) => {
    expect(ruleSetSchema.safeParse(example).error?.issues).toBeUndefined();
  },
);

it('has an example of every rule', () => {
  expect(examples).toHaveLength(3);
  const shown = new Set(examples.flatMap((example) => Object.keys(example as object)));
  expect([...shown].sort()).toEqual(Object.keys(ruleSetSchema.shape).sort());
});

it('has a line for every field, with its default', () => {
  expect(rules).toEqual(fieldsOf(jsonSchema(ruleSetSchema), widens));
  expect(widenings).toEqual(fieldsOf(jsonSchema(widening), () => false));
});
