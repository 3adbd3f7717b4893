/** What an update did, as change streams tell it: the paths that it set and removed, found by comparing the document before and after it. */
import { int, isArray, isDoc, type Doc, type Value } from '../values/bson-types';
import { child } from '../values/paths';
import { identical } from '../values/values';

export interface Description {
  updatedFields: Doc;
  removedFields: string[];
  truncatedArrays: Doc[];
}

export const nothing = (): Description => ({ updatedFields: {}, removedFields: [], truncatedArrays: [] });

/** Of an operator at a path. What is new is told from the first part of the path that was not there; `appends`: element by element. */
export function describeAt(before: Doc, after: Doc, parts: string[], appends: boolean, into: Description): void {
  let old: Value = before;
  let now: Value = after;
  for (const [at, part] of parts.entries()) {
    const path = parts.slice(0, at + 1).join('.');
    old = child(old, part);
    now = child(now, part);
    if (old === undefined && now === undefined) return;
    if (now === undefined) {
      into.removedFields.push(path);
      return;
    }
    if (old === undefined) {
      into.updatedFields[path] = now;
      return;
    }
  }
  if (identical(old, now)) return;
  const path = parts.join('.');
  if (appends && isArray(old) && isArray(now)) {
    for (let i = old.length; i < now.length; i += 1) into.updatedFields[`${path}.${i}`] = now[i];
  } else into.updatedFields[path] = now;
}

/** Of an update that made a whole new document: the smallest paths that differ. */
export function describeDifference(before: Value, after: Value, into: Description, path = ''): void {
  const at = (part: string | number): string => (path === '' ? String(part) : `${path}.${part}`);
  if (isDoc(before) && isDoc(after)) {
    for (const key of Object.keys(before)) {
      if (!Object.hasOwn(after, key)) into.removedFields.push(at(key));
      else describeDifference(before[key], after[key], into, at(key));
    }
    for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) into.updatedFields[at(key)] = after[key];
  } else if (isArray(before) && isArray(after)) {
    if (after.length < before.length) into.truncatedArrays.push({ field: path, newSize: int(after.length) });
    for (const [i, value] of after.entries()) {
      if (i < before.length) describeDifference(before[i], value, into, at(i));
      else into.updatedFields[at(i)] = value;
    }
  } else if (!identical(before, after)) into.updatedFields[path] = after;
}
