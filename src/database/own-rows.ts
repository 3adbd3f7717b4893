import type { OutboxRow } from './outbox-rows';

/**
 * Rows of the outbox that this process has written and claimed in one go, from their commit until they are told. In memory only: what
 * is lost with the process, or not told in time, is found in the database by any relay once the claim has run out.
 */
export interface OwnRows {
  /** What makes a row that is written `at` ours; nobody's while those before it wait too long: others may have the time. */
  claim(at: Date): Pick<OutboxRow, 'claim' | 'notBefore'>;
  /** Those of these that are ours have been committed. */
  add(rows: readonly OutboxRow[]): void;
  /** The next ones to be told, oldest first. */
  take(): OutboxRow[];
  /** Those that have waited too long to be told here. */
  takeLate(): OutboxRow[];
  isEmpty(): boolean;
  /** What is written from now on is nobody's. */
  close(): void;
  /** Everything that is left. */
  leave(): OutboxRow[];
}

export function createOwnRows(options: { claim: string; claimMs: number; most: number; now: () => number }): OwnRows {
  const { claim, claimMs, most, now } = options;
  let isOpen = true;
  let waiting: OutboxRow[] = [];

  // the claim is renewed soon after telling has begun: that has to come in time
  const isLate = (row: OutboxRow) => row.notBefore.getTime() - now() <= claimMs / 2;
  const isBehind = () => waiting[0] !== undefined && isLate(waiting[0]);

  return {
    claim: (at) =>
      isOpen && !isBehind() ? { claim, notBefore: new Date(at.getTime() + claimMs) } : { claim: null, notBefore: at },
    add(rows) {
      for (const row of rows) if (row.claim === claim) waiting.push(row);
    },
    take: () => waiting.splice(0, most),
    takeLate() {
      const late = waiting.filter(isLate);
      if (late.length > 0) waiting = waiting.filter((row) => !isLate(row));
      return late;
    },
    isEmpty: () => waiting.length === 0,
    close: () => void (isOpen = false),
    leave: () => waiting.splice(0),
  };
}
