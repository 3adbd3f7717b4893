/** Why a document does not match a validator, as `errInfo.details` tells it. Of what is not here (`$nor`, `$not`, `$elemMatch` and the like) it names the rule. */
import { bsonTypeName, int, isArray, isDoc, isNumber, isString, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { compileExpression, scopeOf } from '../expressions/expression';
import { explainSchema } from './explain-schema';
import { compileFilter, isOperators } from './match';
import { pathParts } from '../values/paths';

const COMPARISON = 'comparison failed';
const REASONS: Record<string, string> = {
  $eq: COMPARISON,
  $gt: COMPARISON,
  $gte: COMPARISON,
  $lt: COMPARISON,
  $lte: COMPARISON,
  $in: 'no matching value found in array',
  $exists: 'path does not exist',
  $type: 'type did not match',
  $regex: 'regular expression did not match',
  $mod: '$mod did not evaluate to expected remainder',
};
/** What operators take that do not take everything. */
const TAKES: Record<string, { is: (v: Value) => boolean; types: string[] }> = {
  $regex: { is: isString, types: ['regex', 'string', 'symbol'] },
  $mod: { is: isNumber, types: ['decimal', 'double', 'int', 'long'] },
};

/** Of a filter that does not match the document. */
export function explainFilter(filter: Doc, doc: Doc): Doc {
  const clauses = Object.entries(filter).flatMap(([name, arg]) => clausesOf(name, arg));
  if (clauses.length !== 1) return several('$and', clauses, doc);
  const [[name, arg] = ['', undefined]] = Object.entries(clauses[0]!);
  if (name === '$and' || name === '$or') return several(name, arg as Doc[], doc);
  if (name === '$jsonSchema') return ofSchema(arg as Doc, doc);
  if (name === '$expr') return ofExpression(arg, doc);
  if (name.startsWith('$')) return { operatorName: name, specifiedAs: clauses[0] };
  return ofPath(name, arg, doc);
}

/** Each operator of a field is a clause of its own; `$options` belongs to `$regex`. */
function clausesOf(name: string, arg: Value): Doc[] {
  if (name === '$comment') return [];
  if (name.startsWith('$') || !isDoc(arg) || !isOperators(arg)) return [{ [name]: arg }];
  const { $options, ...operators } = arg;
  const options = $options === undefined ? {} : { $options };
  return Object.entries(operators).map(([operator, value]) => ({ [name]: { [operator]: value, ...(operator === '$regex' ? options : {}) } })); // prettier-ignore
}

function several(operatorName: string, clauses: Doc[], doc: Doc): Doc {
  const failed = clauses.flatMap((clause, index) => (isSatisfied(clause, doc) ? [] : [{ index: int(index), details: explainFilter(clause, doc) }])); // prettier-ignore
  return { operatorName, clausesNotSatisfied: failed };
}

/** A clause that cannot be evaluated is none that is satisfied. */
function isSatisfied(clause: Doc, doc: Doc): boolean {
  try {
    return compileFilter(clause)(doc);
  } catch (error) {
    if (error instanceof MongoError) return false;
    throw error;
  }
}

function ofSchema(schema: Doc, doc: Doc): Doc {
  const { title, description } = schema;
  const about = { ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  const rules = explainSchema(schema, doc);
  // a schema of another type than a document is never satisfied
  if (rules.some(({ operatorName }) => operatorName === 'bsonType' || operatorName === 'type'))
    return { operatorName: '$jsonSchema', specifiedAs: { $jsonSchema: schema }, reason: 'expression always evaluates to false' }; // prettier-ignore
  return { operatorName: '$jsonSchema', ...about, schemaRulesNotSatisfied: rules };
}

function ofExpression(arg: Value, doc: Doc): Doc {
  const about = { operatorName: '$expr', specifiedAs: { $expr: arg } };
  try {
    const expressionResult = compileExpression(arg, {})({ ...scopeOf({}), ROOT: doc, CURRENT: doc });
    const result = expressionResult === undefined ? {} : { expressionResult };
    return { ...about, reason: 'expression did not match', ...result };
  } catch (error) {
    if (!(error instanceof MongoError)) throw error;
    const details = { code: int(error.code), errmsg: error.message };
    return { ...about, reason: 'failed to evaluate aggregation expression', details };
  }
}

function ofPath(path: string, arg: Value, doc: Doc): Doc {
  const [operatorName = ''] = isDoc(arg) && isOperators(arg) ? Object.keys(arg) : ['$eq'];
  const details: Doc = { operatorName, specifiedAs: { [path]: arg } };
  const reason = REASONS[operatorName];
  if (reason === undefined) return details;
  if (operatorName === '$exists') return { ...details, reason: (arg as Doc).$exists === false ? 'path does exist' : reason }; // prettier-ignore
  const values = valuesAt(doc, pathParts(path), 0);
  if (values === undefined) return { ...details, reason: 'field was missing' };
  const considered = values.length === 1 ? { consideredValue: values[0] } : { consideredValues: values };
  const types = typesOf(values);
  if (operatorName === '$type') return { ...details, reason, ...considered, ...types };
  const takes = TAKES[operatorName];
  if (takes && !values.some(takes.is)) return { ...details, reason: 'type did not match', ...types, expectedTypes: takes.types, ...considered }; // prettier-ignore
  return { ...details, reason, ...considered };
}

function typesOf(values: Value[]): Doc {
  const names = [...new Set(values.map(bsonTypeName))].sort();
  if (names.length === 0) return {};
  return names.length === 1 ? { consideredType: names[0] } : { consideredTypes: names };
}

/** The values that a condition looks at, those of an array one by one; undefined if there is no such field. */
function valuesAt(value: Value, parts: string[], at: number): Value[] | undefined {
  if (at === parts.length) return isArray(value) ? value : [value];
  if (isArray(value)) {
    const found = value.map((item) => (isDoc(item) ? valuesAt(item, parts, at) : undefined)).filter((each) => each !== undefined); // prettier-ignore
    return found.length > 0 ? found.flat() : undefined;
  }
  return isDoc(value) && Object.hasOwn(value, parts[at]!) ? valuesAt(value[parts[at]!], parts, at + 1) : undefined;
}
