/** A collection's validator: a filter that documents have to match when they are written. */
import { isDoc, type Doc } from '../values/bson-types';
import { MongoError } from '../errors';
import { explainFilter } from '../filters/explain-filter';
import { compileFilter } from '../filters/match';

const LEVELS = ['off', 'strict', 'moderate'];
const ACTIONS = ['error', 'warn'];

/** The options of a collection that say how it is validated, checked. */
export function validationOptions({ validator, validationLevel, validationAction }: Doc): Doc {
  const options: Doc = {};
  if (validator !== undefined) {
    if (!isDoc(validator)) throw new MongoError(14, "The field 'validator' must be an object");
    compileFilter(validator);
    options.validator = validator;
  }
  for (const [name, value, allowed] of [['validationLevel', validationLevel, LEVELS], ['validationAction', validationAction, ACTIONS]] as const) {
    if (value === undefined) continue;
    if (!allowed.includes(value as string)) throw new MongoError(2, `Enumeration value for field '${name}' is not a valid value.`);
    options[name] = value;
  } // prettier-ignore
  return options;
}

export type Validate = (doc: Doc, old: Doc | undefined) => void;

/** `old`: what an update replaces; with the level `moderate` what was invalid may stay so. */
export function validation({ validator, validationLevel, validationAction }: Doc): Validate {
  if (!isDoc(validator) || Object.keys(validator).length === 0) return () => undefined;
  if (validationLevel === 'off' || validationAction === 'warn') return () => undefined;
  const matches = compileFilter(validator);
  return (doc, old) => {
    if (matches(doc) || (validationLevel === 'moderate' && old && !matches(old))) return;
    throw new MongoError(121, 'Document failed validation', { errInfo: { failingDocumentId: doc._id, details: explainFilter(validator, doc) } }); // prettier-ignore
  };
}
