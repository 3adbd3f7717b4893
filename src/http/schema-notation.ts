import type { JsonSchema } from './json-schemas';

/**
 * A JSON Schema the way people write shapes down: `{ lobbyId: Id, ready?: boolean }`, one field on a line with its limits and
 * its meaning behind it. For reading only: the document is what counts.
 */
export function notation(schema: JsonSchema, indent = ''): string {
  const reference = schema['$ref'];
  if (typeof reference === 'string') return reference.slice(reference.lastIndexOf('/') + 1);
  const choices = (schema['anyOf'] ?? schema['oneOf']) as JsonSchema[] | undefined;
  if (choices) return choices.map((choice) => notation(choice, indent)).join(' | ');
  const parts = schema['allOf'] as JsonSchema[] | undefined;
  if (parts) return parts.map((part) => notation(part, indent)).join(' & ');
  if ('const' in schema) return JSON.stringify(schema['const']);
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => JSON.stringify(value)).join(' | ');
  const types = schema['type'];
  if (Array.isArray(types)) return types.map((type: unknown) => notation({ ...schema, type }, indent)).join(' | ');
  if (types === 'array') return listOf(notation((schema['items'] ?? {}) as JsonSchema, indent));
  if (types === 'object') return objectOf(schema, indent);
  return typeof types === 'string' ? types : 'anything';
}

const listOf = (item: string) => (/^\w+$|^\{[^|]*\}$/s.test(item) ? `${item}[]` : `(${item})[]`);

function objectOf(schema: JsonSchema, indent: string): string {
  const fields = Object.entries((schema['properties'] ?? {}) as Record<string, JsonSchema>);
  const required = new Set((schema['required'] ?? []) as string[]);
  const inner = `${indent}  `;
  const lines = fields.map(([name, field]) => {
    const remarks = [limits(field), field['description']].filter((remark) => remark).join('; ');
    const remark = remarks === '' ? '' : `  // ${remarks}`;
    return `${inner}${name}${required.has(name) ? '' : '?'}: ${notation(field, inner)}${remark}`;
  });
  const values = schema['additionalProperties'];
  if (typeof values === 'object' && values !== null)
    lines.push(`${inner}[name]: ${notation(values as JsonSchema, inner)}`);
  return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`;
}

/** `1 to 1000 characters`, `at most 100 items`, `default 5` */
function limits(schema: JsonSchema): string {
  const between = (min: unknown, max: unknown, unit: string) => {
    if (typeof min === 'number' && typeof max === 'number') return `${min} to ${max}${unit}`;
    if (typeof max === 'number') return `at most ${max}${unit}`;
    return typeof min === 'number' ? `at least ${min}${unit}` : '';
  };
  return [
    between(schema['minLength'], schema['maxLength'], ' characters'),
    between(schema['minItems'], schema['maxItems'], ' items'),
    between(schema['minimum'], schema['maximum'], ''),
    'default' in schema ? `default ${JSON.stringify(schema['default'])}` : '',
  ]
    .filter((part) => part !== '')
    .join(', ');
}
