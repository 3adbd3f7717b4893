/** A collection as `$merge` and `$out` write to it: by the rules of ordinary writes. */
import { type Doc } from '../values/bson-types';
import { type WriteTarget } from '../aggregation/pipeline';
import { unsupported } from '../errors';
import { findAll, type Found } from '../queries/query';
import { type Store } from '../storage/store';
import { type Writer } from '../storage/versions';

export function writeTarget(store: Store, db: string, name: string, writer: Writer): WriteTarget {
  if (store.collection(`${db}.${name}`, writer)?.timeSeries) throw unsupported('$merge and $out into a time series');
  const collection = () => store.ensure(db, name, writer);
  const find = (filter: Doc): Found | undefined =>
    findAll(collection(), { filter, env: {}, limit: 1 }, writer).found[0];
  return {
    findOne: (filter) => find(filter)?.doc,
    hasUniqueIndex: (fields) => {
      const indexes = store.collection(`${db}.${name}`, writer)?.indexes ?? [];
      const same = (paths: string[]): boolean =>
        paths.length === fields.length && fields.every((field) => paths.includes(field));
      return same(['_id']) || indexes.some(({ spec }) => spec.unique && !spec.partial && same(spec.paths));
    },
    insert: (doc) => collection().insert(doc, writer),
    replace: (old, next) => {
      const found = find({ _id: { $eq: old._id } });
      if (found) collection().update(found.rec, found.doc, next, writer);
    },
    replaceAll: (docs) => {
      const target = collection();
      for (const { rec } of findAll(target, { filter: {}, env: {} }, writer).found) target.remove(rec, writer);
      for (const doc of docs) target.insert(doc, writer);
    },
  };
}
