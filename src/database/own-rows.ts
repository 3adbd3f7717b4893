import type { OutboxRow } from './outbox-rows';

/**
 * Rows of the outbox that this process has written and claimed in one go, from their commit until they are told. In memory only: what
 * is lost with the process, or not told in time, is found in the database by any relay once the claim has run out.
 */
export interface OwnRows {
  /** What makes a row that is written `at` ours. */
  claim(at: Date): Pick<OutboxRow, 'claim' | 'notBefore'>;
  /** Those of these that are ours have been committed. */
  add(rows: readonly OutboxRow[]): void;
  /** The next ones to be told, oldest first. */
  take(): OutboxRow[];
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

  // told in time: the claim is renewed from the moment at which telling begins
  const isGood = (row: OutboxRow) => row.notBefore.getTime() - now() > claimMs / 2;

  return {
    claim: (at) => (isOpen ? { claim, notBefore: new Date(at.getTime() + claimMs) } : { claim: null, notBefore: at }),
    add(rows) {
      for (const row of rows) if (row.claim === claim) waiting.push(row);
    },
    take() {
      const good = waiting.filter(isGood);
      waiting = good.slice(most);
      return good.slice(0, most);
    },
    isEmpty: () => waiting.length === 0,
    close: () => void (isOpen = false),
    leave: () => waiting.splice(0),
  };
}
