/** What a time series does not take of the commands that write: updates change what a measurement is of, for many at once, and nothing else. */
import { isArray, isDoc, isString, type Doc, type Value } from '../values/bson-types';
import { MongoError } from '../errors';
import { type TimeSeries } from '../storage/kinds';
import { type IndexSpec } from '../storage/index-spec';

const invalid = (message: string): never => {
  throw new MongoError(72, message);
};

export interface SeriesUpdate {
  filter: Doc;
  form: Doc | Doc[];
  multi: boolean;
  upsert: boolean;
}

export function checkSeriesUpdate({ metaField }: TimeSeries, { filter, form, multi, upsert }: SeriesUpdate): void {
  if (upsert) invalid('Cannot perform an upsert on a time-series collection');
  if (!multi) invalid('Cannot perform a non-multi update on a time-series collection');
  if (metaField === undefined) return invalid('Cannot perform an update on a time-series collection that does not have a metaField'); // prettier-ignore
  if (isArray(form) || !Object.keys(form).every((name) => name.startsWith('$')))
    invalid('Cannot perform an update on a time-series collection that is a replacement or a pipeline');
  if (!asksOnly(filter, metaField))
    invalid(`Cannot perform an update on a time-series collection when querying on a field that is not the metaField '${metaField}'`); // prettier-ignore
  for (const [name, fields] of Object.entries(form as Doc))
    for (const [path, value] of Object.entries(isDoc(fields) ? fields : {})) {
      const isRename = name === '$rename' && (path === metaField || !isString(value) || !isIn(value, metaField));
      if (!isIn(path, metaField) || isRename)
        invalid(`Cannot perform an update on a time-series collection which updates a field that is not the metaField '${metaField}'`); // prettier-ignore
    }
}

const isIn = (path: string, field: string): boolean => path === field || path.startsWith(`${field}.`);

/** Whether a filter looks at nothing but a field and what is in it. */
function asksOnly(filter: Value, field: string): boolean {
  if (!isDoc(filter)) return false;
  return Object.entries(filter).every(([name, value]) => {
    if (['$and', '$or', '$nor'].includes(name)) return isArray(value) && value.every((each) => asksOnly(each, field));
    if (name === '$expr') return readsOnly(value, field);
    return name === '$comment' || isIn(name, field);
  });
}

function readsOnly(expression: Value, field: string): boolean {
  if (isString(expression)) return !expression.startsWith('$') || isIn(expression.slice(1), field);
  if (isArray(expression)) return expression.every((each) => readsOnly(each, field));
  return !isDoc(expression) || Object.values(expression).every((each) => readsOnly(each, field));
}

export function checkSeriesIndex({ unique, kind, described, expireAfterSeconds }: IndexSpec): void {
  if (unique || described.unique) invalid('Unique indexes are not supported on time-series collections');
  if (expireAfterSeconds !== undefined) invalid('TTL indexes on non-time fields are not supported on time-series collections'); // prettier-ignore
  if (kind === 'text') invalid('Text indexes are not supported on time-series collections');
}
