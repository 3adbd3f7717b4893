import { z, type ZodType } from 'zod';

/**
 * JSON Schemas for a document, out of the zod schemas that validate. What carries an id (`.meta({id})`) stands once under
 * `components.schemas`. Where what may be sent and what is answered differ (defaults, mostly), the id names the answer and
 * the same with `Input` behind it the request.
 */
export interface JsonSchemas {
  /** What a client may send. */
  sent(schema: ZodType): JsonSchema;
  /** What a client gets. */
  answered(schema: ZodType): JsonSchema;
  /** To be called last: the document with every reference resolved, and the components to put into it. */
  finish<Document extends object>(document: Document): { document: Document; schemas: Record<string, JsonSchema> };
}

export type JsonSchema = Record<string, unknown>;
type Direction = 'input' | 'output';

const COMPONENTS = '#/components/schemas/';
const KEYS = { 'draft-2020-12': '$defs', 'draft-7': 'definitions' } as const;

export function createJsonSchemas(target: keyof typeof KEYS): JsonSchemas {
  const found = { input: new Map<string, JsonSchema>(), output: new Map<string, JsonSchema>() };
  const local = `#/${KEYS[target]}/`;

  const convert = (schema: ZodType, io: Direction): JsonSchema => {
    const converted = z.toJSONSchema(schema, { target, io, override: ({ jsonSchema }) => tidy(jsonSchema, io) });
    const { $schema: _dialect, [KEYS[target]]: definitions, ...json } = converted as JsonSchema;
    for (const [id, definition] of Object.entries((definitions ?? {}) as Record<string, JsonSchema>))
      found[io].set(
        id,
        mapReferences(definition, (path) => path.replace(local, `${io}:`)),
      );
    return mapReferences(json, (path) => path.replace(local, `${io}:`));
  };

  /** Ids whose request differs from their answer, or rests on one that does. */
  const different = (): ReadonlySet<string> => {
    const both = [...found.input].filter(([id]) => found.output.has(id));
    const names = new Set<string>();
    for (let before = -1; before !== names.size;) {
      before = names.size;
      for (const [id, sent] of both) {
        const plain = (schema: JsonSchema | undefined) =>
          JSON.stringify(schema, (_key, value: unknown) =>
            typeof value === 'string' ? value.replace(/^(input|output):/, '') : value,
          );
        const rests = [...names].some((name) => JSON.stringify(sent).includes(`"input:${name}"`));
        if (rests || plain(sent) !== plain(found.output.get(id))) names.add(id);
      }
    }
    return names;
  };

  return {
    sent: (schema) => convert(schema, 'input'),
    answered: (schema) => convert(schema, 'output'),
    finish(document) {
      const split = different();
      const nameOf = (id: string, io: Direction) => (io === 'input' && split.has(id) ? `${id}Input` : id);
      const resolve = <Part extends object>(part: Part): Part =>
        mapReferences(part, (path) => {
          const [, io, id] = /^(input|output):(.*)$/.exec(path) ?? [];
          return id === undefined ? path : COMPONENTS + nameOf(id, io as Direction);
        });
      const named = (['output', 'input'] as const).flatMap((io) =>
        [...found[io]].map(([id, schema]) => [nameOf(id, io), resolve(schema)] as const),
      );
      const schemas = Object.fromEntries(named.sort(([a], [b]) => (a < b ? -1 : 1)));
      return { document: resolve(document), schemas };
    },
  };
}

/** Answers may gain fields: no client should refuse the next version. Bounds that only say "a safe integer" say nothing. */
function tidy(schema: JsonSchema, io: Direction): void {
  if (io === 'output' && schema['additionalProperties'] === false) delete schema['additionalProperties'];
  if (schema['maximum'] === Number.MAX_SAFE_INTEGER) delete schema['maximum'];
  if (schema['minimum'] === Number.MIN_SAFE_INTEGER) delete schema['minimum'];
  if (schema['format'] === 'date-time') delete schema['pattern'];
}

/** A copy with every `$ref` replaced. */
function mapReferences<Part extends object>(part: Part, map: (path: string) => string): Part {
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([key, inner]) => [
        key,
        key === '$ref' && typeof inner === 'string' ? map(inner) : walk(inner),
      ]),
    );
  };
  return walk(part) as Part;
}
