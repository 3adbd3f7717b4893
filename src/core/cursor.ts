import { AppError } from './errors';

/** Opaque page cursors: the sort key of the last item, base64url JSON. */
export function encodeCursor(key: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(key)).toString('base64url');
}

/** The sort key again. `shape` names the type of each part. @throws BAD_CURSOR on anything this server did not make. */
export function decodeCursor(cursor: string, shape: readonly ('string' | 'number')[]): (string | number)[] {
  const bad = new AppError(
    'BAD_CURSOR',
    'Start again without a cursor, or send `nextCursor` of the last page as it was.',
  );
  let key: unknown;
  try {
    key = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    throw bad;
  }
  if (!Array.isArray(key) || key.length !== shape.length) throw bad;
  const parts = key as unknown[];
  if (!parts.every((part, i) => typeof part === shape[i])) throw bad;
  return parts as (string | number)[];
}

export interface Page<Item> {
  items: Item[];
  nextCursor: string | null;
}

/** A page out of `limit + 1` fetched rows: the extra row only tells that there is more. */
export function toPage<Row, Item>(
  rows: Row[],
  limit: number,
  present: (row: Row) => Item,
  key: (row: Row) => readonly (string | number)[],
): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(present),
    nextCursor: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null,
  };
}
