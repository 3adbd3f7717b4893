/** What of a `$jsonSchema` a value does not satisfy, as `errInfo` tells it: the rules that failed, in mongod's order, down to the value that was considered. */
import { bsonTypeName, int, isArray, isDoc, isNumber, isString, type Doc, type Value } from '../values/bson-types';
import { compileRegex } from '../values/regex';
import { encodeKey } from '../values/values';
import { schemaTest } from './json-schema';

type Explain = (arg: never, value: never, schema: Doc) => Doc;

/** Each tells what a value fails that is of the type that the keyword is about. */
interface Rule {
  of?: (value: Value) => boolean;
  explain: Explain;
}

const plain = (of: ((value: Value) => boolean) | undefined, reason: string): Rule => ({
  ...(of ? { of } : {}),
  explain: (_arg: Value, value: Value) => ({ reason, consideredValue: value }),
});
const about = (schema: Value): Doc => {
  const { title, description } = isDoc(schema) ? schema : {};
  return { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
};
const typed: Rule = {
  explain: (_arg: Value, value: Value) => ({ reason: 'type did not match', consideredValue: value, consideredType: bsonTypeName(value) }), // prettier-ignore
};
const failing = (schemas: Value[], value: Value): Doc[] =>
  schemas.flatMap((schema, index) => (schemaTest(schema)(value) ? [] : [{ index: int(index), ...about(schema), details: explainSchema(schema, value) }])); // prettier-ignore
const subschemas: Rule = {
  explain: (schemas: Value[], value: Value) => ({ schemasNotSatisfied: failing(schemas, value) }),
};

const length = plain(isString, 'specified string length was not satisfied');
const itemCount: Rule = {
  of: isArray,
  explain: (_arg: Value, value: Value[]) => ({ reason: 'array did not match specified length', consideredValue: value, numberOfItems: int(value.length) }), // prettier-ignore
};
const propertyCount: Rule = {
  of: isDoc,
  explain: (_arg: Value, doc: Doc) => ({ reason: 'specified number of properties was not satisfied', numberOfProperties: int(Object.keys(doc).length) }), // prettier-ignore
};

function firstMismatch(schema: Value, items: Value[], from: number, reason: string): Doc {
  const test = schemaTest(schema);
  const at = items.findIndex((item, i) => i >= from && !test(item));
  return { ...about(schema), reason, itemIndex: int(at), details: explainSchema(schema, items[at]) };
}

function items(arg: Value, value: Value[]): Doc {
  if (!isArray(arg)) return firstMismatch(arg, value, 0, 'At least one item did not match the sub-schema');
  const failed = arg.flatMap((schema, i) => (i < value.length && !schemaTest(schema)(value[i]) ? [{ itemIndex: int(i), details: explainSchema(schema, value[i]) }] : [])); // prettier-ignore
  return { details: failed };
}

function additionalItems(arg: Value, value: Value[], { items: known }: Doc): Doc {
  const from = isArray(known) ? known.length : value.length;
  if (arg === false) return { reason: 'found additional items', additionalItems: value.slice(from) };
  return firstMismatch(arg, value, from, 'At least one additional item did not match the sub-schema');
}

function properties(arg: Doc, doc: Doc): Doc {
  const failed = Object.entries(arg).filter(([name, schema]) => Object.hasOwn(doc, name) && !schemaTest(schema)(doc[name])); // prettier-ignore
  return {
    propertiesNotSatisfied: failed.map(([name, schema]) => ({ propertyName: name, ...about(schema), details: explainSchema(schema, doc[name]) })), // prettier-ignore
  };
}

function patternProperties(arg: Doc, doc: Doc): Doc {
  const details = Object.entries(arg).flatMap(([pattern, schema]) => {
    const regex = compileRegex(pattern, '');
    const name = Object.keys(doc).find((each) => regex.test(each) && !schemaTest(schema)(doc[each]));
    if (name === undefined) return [];
    return [{ propertyName: name, ...about(schema), regexMatched: pattern, details: explainSchema(schema, doc[name]) }];
  });
  return { details };
}

function additionalProperties(arg: Value, doc: Doc, { properties: known, patternProperties: patterns }: Doc): Doc {
  const named = isDoc(known) ? Object.keys(known) : [];
  const regexes = (isDoc(patterns) ? Object.keys(patterns) : []).map((each) => compileRegex(each, ''));
  const others = Object.keys(doc).filter((name) => !named.includes(name) && !regexes.some((regex) => regex.test(name)));
  if (arg === false) return { additionalProperties: others };
  const test = schemaTest(arg);
  const failingProperty = others.find((name) => !test(doc[name]))!;
  const reason = 'at least one additional property did not match the subschema';
  return { ...about(arg), reason, failingProperty, details: explainSchema(arg, doc[failingProperty]) };
}

const missing = (names: string[], doc: Doc): string[] => names.filter((name) => !Object.hasOwn(doc, name)).sort();

function dependencies(arg: Doc, doc: Doc): Doc {
  const failed = Object.entries(arg).flatMap(([name, needs]): Doc[] => {
    if (!Object.hasOwn(doc, name)) return [];
    if (isArray(needs)) {
      const missingProperties = missing(needs as string[], doc);
      return missingProperties.length > 0 ? [{ conditionalProperty: name, missingProperties }] : [];
    }
    return schemaTest(needs)(doc) ? [] : [{ conditionalProperty: name, ...about(needs), details: explainSchema(needs, doc) }]; // prettier-ignore
  });
  return { failingDependencies: failed };
}

function oneOf(schemas: Value[], value: Value): Doc {
  const matching = schemas.flatMap((schema, index) => (schemaTest(schema)(value) ? [int(index)] : []));
  if (matching.length === 0) return { schemasNotSatisfied: failing(schemas, value) };
  return { reason: 'more than one subschema matched', matchingSchemaIndexes: matching };
}

function uniqueItems(_arg: Value, value: Value[]): Doc {
  const seen = new Set<string>();
  const duplicatedValue = value.find((item) => {
    const key = encodeKey(item);
    return seen.size === seen.add(key).size;
  });
  return { reason: 'found a duplicate item', consideredValue: value, duplicatedValue };
}

/** In the order in which they are told. */
const RULES: Record<string, Rule> = {
  pattern: plain(isString, 'regular expression did not match'),
  maxLength: length,
  minLength: length,
  multipleOf: plain(isNumber, 'considered value is not a multiple of the specified value'),
  maximum: plain(isNumber, 'comparison failed'),
  minimum: plain(isNumber, 'comparison failed'),
  minItems: itemCount,
  maxItems: itemCount,
  uniqueItems: { of: isArray, explain: uniqueItems },
  items: { of: isArray, explain: items },
  additionalItems: { of: isArray, explain: additionalItems },
  properties: { of: isDoc, explain: properties },
  additionalProperties: { of: isDoc, explain: additionalProperties },
  patternProperties: { of: isDoc, explain: patternProperties },
  required: {
    of: isDoc,
    explain: (names: string[], doc: Doc) => ({ specifiedAs: { required: names }, missingProperties: missing(names, doc) }), // prettier-ignore
  },
  minProperties: propertyCount,
  maxProperties: propertyCount,
  dependencies: { of: isDoc, explain: dependencies },
  allOf: subschemas,
  anyOf: subschemas,
  oneOf: { explain: oneOf },
  not: { explain: () => ({ reason: 'child expression matched' }) },
  enum: plain(undefined, 'value was not found in enum'),
  bsonType: typed,
  type: typed,
};
const PARTNERS: Record<string, string> = { minimum: 'exclusiveMinimum', maximum: 'exclusiveMaximum' };
/** What has subschemas is not told again as it was written. */
const UNSPECIFIED = ['items', 'properties', 'patternProperties', 'required', 'dependencies', 'allOf', 'anyOf', 'oneOf', 'not']; // prettier-ignore
/** Of these, another keyword is needed to test one. */
const BESIDE = ['items', 'properties', 'patternProperties', 'exclusiveMinimum', 'exclusiveMaximum'];

/** The rules that a value does not satisfy. */
export function explainSchema(schema: Value, value: Value): Doc[] {
  if (!isDoc(schema)) return [];
  return Object.entries(RULES).flatMap(([keyword, { of, explain }]) => {
    if (!(keyword in schema) || (of && !of(value)) || schemaTest(alone(schema, keyword))(value)) return [];
    const arg = schema[keyword];
    const partner = PARTNERS[keyword];
    const specified = { [keyword]: arg, ...(partner && partner in schema ? { [partner]: schema[partner] } : {}) };
    const isSpecified = !UNSPECIFIED.includes(keyword) && !(keyword.startsWith('additional') && isDoc(arg));
    const specifiedAs = isSpecified ? { specifiedAs: specified } : {};
    return [{ operatorName: keyword, ...specifiedAs, ...explain(arg as never, value as never, schema) }];
  });
}

/** The schema with that rule only; what it counts as known allows everything. */
function alone(schema: Doc, keyword: string): Doc {
  const beside = BESIDE.filter((key) => key in schema && key !== keyword && (keyword.startsWith('additional') || PARTNERS[keyword] === key)); // prettier-ignore
  const opened: Doc = Object.fromEntries(beside.map((key) => [key, opening(schema[key])]));
  return { ...opened, [keyword]: schema[keyword] };
}

function opening(arg: Value): Value {
  if (isArray(arg)) return arg.map(() => ({}));
  return isDoc(arg) ? Object.fromEntries(Object.keys(arg).map((key) => [key, {}])) : arg;
}
