/**
 * The kinds of collection that are made with options of their own: clustered ones, in the order of their `_id`s, and time series, which hold measurements
 * with a time. A mongod keeps measurements in buckets of a second collection; here they are documents like all others, with no unique `_id`.
 */
import { bsonTypeName, int, isDate, isDoc, isNumber, isString, long, toDouble, type Doc, type Value } from '../values/bson-types'; // prettier-ignore
import { fail } from '../errors';

const invalid = (message: string): never => fail(72, message);

export interface TimeSeries {
  timeField: string;
  metaField: string | undefined;
}

const TIME_SERIES = ['timeField', 'metaField', 'granularity', 'bucketMaxSpanSeconds', 'bucketRoundingSeconds'];
/** How long a bucket may be, in seconds. */
const SPANS: Record<string, number> = { seconds: 3600, minutes: 86_400, hours: 2_592_000 };
/** What a clustered collection or a time series may not have at once with it. */
const NOT_WITH = [
  'capped', 'size', 'max', 'idIndex', 'autoIndexId', 'validator', 'validationLevel', 'validationAction', 'viewOn', 'pipeline', 'clusteredIndex',
  'changeStreamPreAndPostImages',
]; // prettier-ignore

/** The options of a collection that make it one of these kinds, checked and in mongod's form. */
export function kindOptions(doc: Doc): Doc {
  const options = { ...engineOption(doc), ...clusteredOption(doc), ...expiryOption(doc), ...timeSeriesOption(doc) };
  if ('expireAfterSeconds' in options && !options.clusteredIndex && !options.timeseries)
    invalid("'expireAfterSeconds' is only supported on time-series collections or when the 'clusteredIndex' option is specified"); // prettier-ignore
  return options;
}

/** How a mongod is to store it, which changes nothing that a client sees. */
export function engineOption({ storageEngine: engines }: Doc): Doc {
  if (engines === undefined || engines === null) return {};
  if (!isDoc(engines)) return fail(14, `BSON field 'storageEngine' is the wrong type '${bsonTypeName(engines)}', expected type 'object'`); // prettier-ignore
  for (const [name, options] of Object.entries(engines)) {
    if (!isDoc(options)) invalid(`'storageEngine.${name}' has to be an embedded document.`);
    if (name !== 'wiredTiger') invalid(`${name} is not a registered storage engine for this server`);
  }
  return { storageEngine: engines };
}

function clusteredOption({ clusteredIndex: spec, viewOn, autoIndexId, size, max, capped, timeseries }: Doc): Doc {
  if (spec === undefined || spec === null || (spec === false && timeseries === undefined)) return {};
  if (timeseries !== undefined) invalid("'timeseries' is not allowed with 'clusteredIndex'");
  if (spec === true) fail(5979703, "The 'clusteredIndex' legacy format is only supported on time-series buckets");
  if (!isDoc(spec)) return fail(14, `BSON field 'create.clusteredIndex' is the wrong type '${bsonTypeName(spec)}'`);
  for (const key of Object.keys(spec))
    if (!['v', 'key', 'name', 'unique'].includes(key)) fail(40415, `BSON field 'create.clusteredIndex.${key}' is an unknown field.`); // prettier-ignore
  for (const key of ['key', 'unique'])
    if (!(key in spec)) fail(40414, `BSON field 'create.clusteredIndex.${key}' is missing but a required field`);
  const { key, unique, name = '_id_', v = int(2) } = spec;
  if (viewOn !== undefined) fail(6026500, "The 'clusteredIndex' option is not supported with views");
  if (autoIndexId === false) fail(6026501, "The 'clusteredIndex' option does not support {autoIndexId: false}");
  if (unique !== true) fail(5979700, "The 'clusteredIndex' option requires unique: true to be specified");
  if (!isDoc(key) || Object.keys(key).join() !== '_id' || !isNumber(key._id) || toDouble(key._id) !== 1)
    return fail(197, "The 'clusteredIndex' option is only supported for key: {_id: 1}");
  if (!isNumber(v) || toDouble(v) !== 2) fail(5979704, "The 'clusteredIndex' option requires v: 2");
  if (size !== undefined) fail(6049200, "'size' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?"); // prettier-ignore
  if (max !== undefined) fail(6049204, "'max' field for capped collections is not allowed on clustered collections. Did you mean 'capped: true' with 'expireAfterSeconds'?"); // prettier-ignore
  if (capped === true) fail(6127800, "Clustered capped collection only available with 'enableTestCommands' server parameter"); // prettier-ignore
  return { clusteredIndex: { v, key, name, unique } };
}

/** The seconds after which documents go, in mongod's form. */
export function expiryOption({ expireAfterSeconds: seconds }: Doc): Doc {
  if (seconds === undefined || seconds === null) return {};
  if (!isNumber(seconds)) return fail(14, `BSON field 'expireAfterSeconds' is the wrong type '${bsonTypeName(seconds)}', expected type 'long'`); // prettier-ignore
  const n = Math.trunc(toDouble(seconds));
  if (!(n >= 0 && n <= 2 ** 31 - 1)) invalid(`expireAfterSeconds has to be between 0 and ${2 ** 31 - 1}, got ${n}`);
  return { expireAfterSeconds: long(BigInt(n)) };
}

function timeSeriesOption(doc: Doc): Doc {
  const { timeseries: spec } = doc;
  if (spec === undefined || spec === null) return {};
  if (!isDoc(spec)) return fail(14, `BSON field 'create.timeseries' is the wrong type '${bsonTypeName(spec)}', expected type 'object'`); // prettier-ignore
  const other = NOT_WITH.find((key) => doc[key] !== undefined && !(key === 'capped' && doc[key] === false));
  if (other) invalid(`'timeseries' is not allowed with '${other}'`);
  for (const key of Object.keys(spec)) if (!TIME_SERIES.includes(key)) fail(40415, `BSON field 'create.timeseries.${key}' is an unknown field.`); // prettier-ignore
  const { timeField, metaField } = spec;
  if (timeField === undefined) fail(40414, "BSON field 'create.timeseries.timeField' is missing but a required field");
  for (const [name, field] of Object.entries({ timeField, metaField })) {
    if (field === undefined) continue;
    if (!isString(field)) return fail(14, `BSON field 'create.timeseries.${name}' is the wrong type '${bsonTypeName(field)}', expected type 'string'`); // prettier-ignore
    if (field.includes('\0')) fail(2, `'${name}' must not contain a null byte`);
    if (field.includes('.')) invalid(`'${name}' must be a top-level field and not contain a '.'`);
  }
  if (metaField === '_id') invalid('\'metaField\' cannot be "_id"');
  if (metaField === timeField) invalid("'metaField' cannot be the same as 'timeField'");
  return { timeseries: { timeField, ...(metaField === undefined ? {} : { metaField }), ...bucketing(spec) } };
}

function bucketing({ granularity, bucketMaxSpanSeconds: span, bucketRoundingSeconds: rounding }: Doc): Doc {
  if (granularity !== undefined && !(isString(granularity) && Object.hasOwn(SPANS, granularity)))
    fail(2, `Enumeration value '${bsonTypeName(granularity)}' for field 'create.timeseries.granularity' is not a valid value.`); // prettier-ignore
  if (rounding !== undefined) {
    if (granularity !== undefined || !isNumber(span) || !isNumber(rounding) || toDouble(span) !== toDouble(rounding))
      invalid("Timeseries 'bucketRoundingSeconds' must be equal to 'bucketMaxSpanSeconds', and without granularity");
    return { bucketRoundingSeconds: rounding, bucketMaxSpanSeconds: span };
  }
  const chosen = granularity ?? 'seconds';
  if (span !== undefined && !(isNumber(span) && toDouble(span) === SPANS[chosen]))
    invalid(`Timeseries 'bucketMaxSpanSeconds' is not configurable to a value other than the default of ${SPANS[chosen]} for granularity ${chosen}`); // prettier-ignore
  return { granularity: chosen, bucketMaxSpanSeconds: int(SPANS[chosen]!) };
}

/** Of `collMod`: how coarse the buckets are may only grow. */
export function coarser(before: Doc, spec: Value): Doc {
  if (!isDoc(spec) || !isString(spec.granularity)) return invalid('only the granularity of a time series can be changed'); // prettier-ignore
  const steps = Object.keys(SPANS);
  const [from, to] = [before.granularity, spec.granularity].map((each) => steps.indexOf(each as string));
  if (to! < 0 || from! < 0 || to! < from! || to! > from! + 1)
    invalid("Invalid transition for timeseries.granularity. Can only transition from 'seconds' to 'minutes' or 'minutes' to 'hours'."); // prettier-ignore
  return { ...before, ...bucketing({ granularity: spec.granularity }) };
}

export function timeSeriesOf({ timeseries }: Doc): TimeSeries | undefined {
  if (!isDoc(timeseries)) return undefined;
  return { timeField: timeseries.timeField as string, metaField: timeseries.metaField as string | undefined };
}

/** A measurement as it is shown: its time and what it is of come first. @throws 2 for one without a time */
export function measurement(doc: Doc, { timeField, metaField }: TimeSeries): Doc {
  if (!isDate(doc[timeField])) fail(2, `'${timeField}' must be present and contain a valid BSON UTC datetime value`);
  const { [timeField]: time, ...rest } = doc;
  if (metaField === undefined || !(metaField in rest)) return { [timeField]: time, ...rest };
  const { [metaField]: meta, ...others } = rest;
  return { [timeField]: time, [metaField]: meta, ...others };
}

/** Which documents go by themselves: by the date in a field, after so many seconds; of a series, when their whole bucket would go. */
export function expiryOf({ expireAfterSeconds, timeseries }: Doc): { field: string; seconds: number } | undefined {
  if (expireAfterSeconds === undefined) return undefined;
  const seconds = toDouble(expireAfterSeconds);
  if (!isDoc(timeseries)) return { field: '_id', seconds };
  return { field: timeseries.timeField as string, seconds: seconds + toDouble(timeseries.bucketMaxSpanSeconds) };
}
