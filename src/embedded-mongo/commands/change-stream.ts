/**
 * `$changeStream`: the entries of the feed as the events that clients hear, from a place on: now, a time, or behind the event that a resume token names.
 * A token names an entry by its time and number; the feed knows whether it still has what came after that.
 */
import { Timestamp } from 'bson';
import { compilePipeline, type PipelineEnv } from '../aggregation/pipeline';
import { equalValues } from '../values/values';
import { isDoc, isString, type Doc, type Value } from '../values/bson-types';
import { type Context } from './command';
import { type Source } from './cursors';
import { split, withoutSplit } from './split-event';
import { MongoError } from '../errors';
import { type Entry, type Feed } from '../storage/feed';
import { visible } from '../storage/versions';

const AWAIT_MS = 1000;
const STAGES = ['$match', '$project', '$addFields', '$set', '$unset', '$replaceRoot', '$replaceWith', '$redact'];
const OPTIONS = ['fullDocument', 'fullDocumentBeforeChange', 'resumeAfter', 'startAfter', 'startAtOperationTime', 'allChangesForCluster', 'showExpandedEvents']; // prettier-ignore
const AFTER = ['default', 'updateLookup', 'whenAvailable', 'required'];
const BEFORE = ['off', 'whenAvailable', 'required'];
/** What only streams with showExpandedEvents tell. */
const EXPANDED: Entry['kind'][] = ['create', 'createIndexes', 'dropIndexes', 'modify'];

/** The collection, database (`coll` undefined) or whole server (`db` undefined) that is watched. */
interface Scope {
  db: string | undefined;
  coll: string | undefined;
}

/** The source of a cursor; it has nothing to begin with. */
export function changeStream(context: Context, stages: Doc[], env: PipelineEnv): Source {
  const { command, db, server } = context;
  const { feed } = server.store;
  if (context.inTransaction) throw new MongoError(263, '$changeStream cannot be used in a transaction');
  const [first, ...others] = stages as [Doc, ...Doc[]];
  const options = checkedOptions(first.$changeStream);
  const scope = scopeOf(db, command.aggregate, options);
  const show = compileStages(others, env, fragmentOf(options));
  let at = startOf(feed, options);
  feed.watch();
  /** Behind what was looked at last. */
  let place = (options.resumeAfter ?? options.startAfter ?? tokenOf(server.store.clusterClock.tick(), at)) as Doc;
  let isOver = false;
  const pull = (): Doc[] => {
    const events: Doc[] = [];
    for (let entry = next(feed, at); entry && !isOver; entry = next(feed, at)) {
      at = entry.seq;
      place = tokenOf(entry.time, at);
      if (
        !concerns(scope, entry, options.showExpandedEvents === true) ||
        isBefore(entry.time, options.startAtOperationTime)
      )
        continue;
      const made = [eventOf(entry, options, context)];
      isOver = invalidates(scope, entry);
      if (isOver) made.push({ _id: (place = tokenOf(entry.time, at, true)), operationType: 'invalidate', clusterTime: entry.time, wallTime: new Date(entry.at) }); // prettier-ignore
      for (const event of made) events.push(...show(event, entry));
    }
    return events;
  };
  return {
    pull,
    patience: AWAIT_MS,
    get isOver() {
      return isOver;
    },
    token: (last, isFull) => ((isFull && last?._id) || place) as Doc,
    once: (callback) => feed.once(callback),
  };
}

/** What is shown of an event. `resumed`: of which one, and behind which of its fragments, the stream goes on. */
function compileStages(stages: Doc[], env: PipelineEnv, resumed: ReturnType<typeof fragmentOf>) {
  const { rest, splits } = withoutSplit(stages);
  // a stage that nobody knows is told so before one that streams do not have
  const run = compilePipeline(rest, env);
  for (const [name] of rest.map((stage) => (isDoc(stage) ? Object.keys(stage) : []))) {
    if (name !== undefined && !STAGES.includes(name))
      throw new MongoError(20, `${name} is not permitted in a $changeStream pipeline`);
  }
  return (event: Doc, { seq, time }: Entry): Doc[] => {
    const shown = Array.from(run([event]), (each) => checkedEvent(each, event));
    if (!splits) return shown;
    const fragments = shown.flatMap((each) => split(each, (fragment) => tokenOf(time, seq, false, fragment)));
    return resumed?.seq === seq ? fragments.slice(resumed.fragment + 1) : fragments;
  };
}

/** A stream may begin at a time that is still to come. */
const isBefore = (time: Timestamp, start: Value): boolean => start instanceof Timestamp && time.lessThan(start);

function next(feed: Feed, at: number): Entry | undefined {
  const entry = feed.after(at);
  if (entry === 'forgotten') throw lost();
  return entry;
}

const lost = (): MongoError =>
  new MongoError(286, 'Resume of change stream was not possible, as the resume point may no longer be in the oplog.', {
    errorLabels: ['NonResumableChangeStreamError'],
  });

// -- options

function checkedOptions(spec: Value): Doc {
  if (!isDoc(spec)) throw new MongoError(50808, '$changeStream stage expects a document as argument');
  const unknown = Object.keys(spec).find((key) => !OPTIONS.includes(key));
  if (unknown) throw new MongoError(40415, `BSON field '$changeStream.${unknown}' is an unknown field.`);
  for (const [name, allowed] of [['fullDocument', AFTER], ['fullDocumentBeforeChange', BEFORE]] as const) {
    const value = spec[name];
    if (value !== undefined && !allowed.includes(value as string))
      throw new MongoError(2, `Enumeration value for field '$changeStream.${name}' is not a valid value.`);
  } // prettier-ignore
  return spec;
}

function scopeOf(db: string, target: Value, { allChangesForCluster }: Doc): Scope {
  const coll = isString(target) ? target : undefined;
  if (allChangesForCluster !== true) return { db, coll };
  if (db !== 'admin' || coll !== undefined)
    throw new MongoError(72, '$changeStream with allChangesForCluster may only be opened on the admin database, and not on a collection.'); // prettier-ignore
  return { db: undefined, coll };
}

/** The number of the entry behind which the stream begins. */
function startOf(feed: Feed, { resumeAfter, startAfter, startAtOperationTime: time }: Doc): number {
  const given = [resumeAfter, startAfter, time].filter((each) => each !== undefined);
  if (given.length > 1)
    throw new MongoError(40674, 'Only one type of resume option is allowed, but multiple were found.');
  if (time !== undefined) {
    if (!(time instanceof Timestamp)) throw new MongoError(14, "BSON field '$changeStream.startAtOperationTime' is the wrong type, expected type 'timestamp'"); // prettier-ignore
    if (time.lessThanOrEqual(feed.forgotten)) throw lost();
    return feed.before(time);
  }
  if (given.length === 0) return feed.last;
  const token = readToken(given[0]);
  if (token.invalidates && resumeAfter !== undefined)
    throw new MongoError(260, 'Attempting to resume a change stream using resumeAfter is not allowed from an invalidate notification.'); // prettier-ignore
  // a number of another run of the server means nothing in this one
  if (token.time.lessThan(feed.forgotten) || token.seq > feed.last) throw lost();
  // the rest of an event that came in fragments
  return token.fragment === undefined ? token.seq : token.seq - 1;
}

/** The fragment behind which a stream goes on. */
function fragmentOf({ resumeAfter, startAfter }: Doc): { seq: number; fragment: number } | undefined {
  const given = resumeAfter ?? startAfter;
  const { seq, fragment } = given === undefined ? {} : readToken(given);
  return fragment === undefined ? undefined : { seq: seq!, fragment };
}

// -- tokens: the time (16 hexadecimal digits), the number (12), whether it is that of an invalidation (2), and the fragment (4, if any)

function tokenOf(time: Timestamp, seq: number, invalidates = false, fragment?: number): Doc {
  const digits = time.toBigInt().toString(16).padStart(16, '0') + seq.toString(16).padStart(12, '0');
  const part = fragment === undefined ? '' : fragment.toString(16).padStart(4, '0');
  return { _data: `82${digits}${invalidates ? '01' : '00'}${part}`.toUpperCase() };
}

interface Token {
  time: Timestamp;
  seq: number;
  invalidates: boolean;
  fragment: number | undefined;
}

function readToken(token: Value): Token {
  if (!isDoc(token)) throw new MongoError(14, 'a resume token has to be a document');
  const [, time, seq, invalid, fragment] =
    /^82([0-9A-F]{16})([0-9A-F]{12})(0[01])([0-9A-F]{4})?$/.exec(String(token._data)) ?? [];
  if (time === undefined) throw new MongoError(260, `Invalid resume token: ${String(token._data)}`);
  const bits = BigInt(`0x${time}`);
  return {
    time: new Timestamp({ t: Number(bits >> 32n), i: Number(bits & 0xffffffffn) }),
    seq: Number.parseInt(seq!, 16),
    invalidates: invalid === '01',
    fragment: fragment === undefined ? undefined : Number.parseInt(fragment, 16),
  };
}

// -- events

function concerns({ db, coll }: Scope, entry: Entry, expanded: boolean): boolean {
  if ((!expanded && EXPANDED.includes(entry.kind)) || entry.coll.startsWith('system.')) return false;
  if (db === undefined) return !['admin', 'config', 'local'].includes(entry.db);
  if (coll === undefined) return entry.db === db;
  const { to } = entry;
  return (entry.db === db && entry.coll === coll) || (to !== undefined && to.db === db && to.coll === coll);
}

function invalidates({ db, coll }: Scope, { kind }: Entry): boolean {
  if (coll !== undefined) return kind === 'drop' || kind === 'rename';
  return db !== undefined && kind === 'dropDatabase';
}

function eventOf(entry: Entry, options: Doc, context: Context): Doc {
  const { kind, db, coll, uuid, time, at, seq, origin, to, before, after, describe, details } = entry;
  const expanded = options.showExpandedEvents === true;
  const event: Doc = { _id: tokenOf(time, seq), operationType: kind, clusterTime: time, ...(expanded && uuid ? { collectionUUID: uuid } : {}), wallTime: new Date(at) }; // prettier-ignore
  if (origin) Object.assign(event, { lsid: origin.lsid, txnNumber: origin.txnNumber });
  if (kind === 'dropDatabase') return { ...event, ns: { db } };
  if (kind === 'insert' || kind === 'replace') event.fullDocument = after;
  else if (kind === 'update') Object.assign(event, fullDocument(entry, options.fullDocument, context));
  event.ns = { db, coll };
  if (to) event.to = to;
  if (expanded && details) Object.assign(event, kind === 'modify' ? { operationDescription: details.asked, stateBeforeChange: details.before } : { operationDescription: details }); // prettier-ignore
  if (before ?? after) event.documentKey = { _id: (before ?? after)!._id };
  if (describe) event.updateDescription = { ...describe(before!, after!), ...(expanded ? { disambiguatedPaths: {} } : {}) }; // prettier-ignore
  if (kind !== 'insert' && before) Object.assign(event, documentBefore(entry, options.fullDocumentBeforeChange));
  return event;
}

/** The document as it is at the moment (`updateLookup`), or as the update left it if the collection keeps that. */
function fullDocument({ db, coll, uuid, after, images }: Entry, wanted: Value, { server }: Context): Doc {
  if (wanted === undefined || wanted === 'default') return {};
  if (wanted !== 'updateLookup') return { fullDocument: kept(after!, images, wanted, 'post-image') };
  const view = { time: Infinity };
  const collection = server.store.collection(`${db}.${coll}`, view);
  const same = collection?.uuid === uuid ? collection : undefined;
  const rec = same?.records.get(same.indexes[0]!.encode([after!._id]));
  return { fullDocument: (rec && visible(rec, view)) ?? null };
}

function documentBefore({ before, images }: Entry, wanted: Value): Doc {
  if (wanted === undefined || wanted === 'off') return {};
  return { fullDocumentBeforeChange: kept(before!, images, wanted, 'pre-image') };
}

function kept(doc: Doc, images: boolean, wanted: Value, what: string): Doc | null {
  if (images) return doc;
  if (wanted === 'required')
    throw new MongoError(47, `Change stream was configured to require a ${what} for all update, delete and replace events, but the ${what} was not found for an event`, { errorLabels: ['NonResumableChangeStreamError'] }); // prettier-ignore
  return null;
}

/** @throws for one whose resume token the pipeline has changed */
function checkedEvent(shown: Doc, event: Doc): Doc {
  if (!equalValues(shown._id, event._id))
    throw new MongoError(280, 'Encountered an event whose _id field, which contains the resume token, was modified by the pipeline. Modifying the _id field of an event makes it impossible to resume the stream from that point. Only transformations that retain the unmodified _id field are allowed.', { errorLabels: ['NonResumableChangeStreamError'] }); // prettier-ignore
  return shown;
}
