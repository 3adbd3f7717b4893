import type { RuleSet } from '../../games';
import type { PoolProposal, Ticket } from '../engine';

/**
 * A recording: everything that an engine was told, and the matches that it gave, one operation a line (NDJSON), in the order in
 * which it happened. `steps` is how often the running pass had been advanced by then, for what comes in the middle of one; so a
 * replay comes to the same matches, bit for bit. A file may hold several runs of a server, each from a `begin` on.
 */
export type Operation =
  | { op: 'begin'; version: number; at: number; seed: number }
  | { op: 'pool'; key: string; ruleSet: RuleSet; steps?: number }
  | { op: 'add'; key: string; ticket: RecordedTicket; steps?: number }
  | { op: 'remove'; id: string; steps?: number }
  /** `only`: the pools that are searched; null for all. */
  | { op: 'pass'; now: number; only: string[] | null }
  | { op: 'match'; match: PoolProposal; steps: number }
  /** `whole`: carried through to its end. */
  | { op: 'end'; steps: number; whole: boolean }
  /** The limit was reached: nothing of this run follows. */
  | { op: 'full' };

export const VERSION = 1;
const OPERATIONS: ReadonlySet<string> = new Set(['begin', 'pool', 'add', 'remove', 'pass', 'match', 'end', 'full']);

/** Sets as arrays. */
export type RecordedTicket = Omit<Ticket, 'blocked' | 'avoided'> & { blocked: string[]; avoided: string[] };

export const toRecorded = (ticket: Ticket): RecordedTicket => ({
  ...ticket,
  blocked: [...ticket.blocked],
  avoided: [...ticket.avoided],
});

export const fromRecorded = (ticket: RecordedTicket): Ticket => ({
  ...ticket,
  blocked: new Set(ticket.blocked),
  avoided: new Set(ticket.avoided),
});

/** A file that is no recording, or one that this version cannot read. */
export class RecordingFault extends Error {}

/**
 * Reads operations off lines. A line cut off by a crash ends its run, and is passed over: nothing can follow it but the next
 * `begin`.
 * @throws RecordingFault naming the line
 */
export async function* readOperations(lines: AsyncIterable<string> | Iterable<string>): AsyncGenerator<Operation> {
  let number = 0;
  let begun = false;
  let cutOff: number | null = null;
  for await (const line of lines) {
    number += 1;
    if (line === '') continue;
    const operation = parse(line);
    if (cutOff !== null && operation?.op !== 'begin') throw new RecordingFault(`line ${cutOff} is no operation`);
    cutOff = null;
    if (!operation) {
      if (!begun) throw new RecordingFault(`line ${number} is no operation: is this a recording?`);
      cutOff = number;
      continue;
    }
    if (operation.op === 'begin' && operation.version !== VERSION)
      throw new RecordingFault(`line ${number}: this is version ${operation.version}, and ${VERSION} is known`);
    if (!begun && operation.op !== 'begin') throw new RecordingFault(`line ${number}: a recording starts with "begin"`);
    begun = true;
    yield operation;
  }
  if (!begun) throw new RecordingFault('nothing has been recorded');
}

function parse(line: string): Operation | null {
  try {
    const read = JSON.parse(line) as Partial<Operation> | null;
    return read && OPERATIONS.has(read.op ?? '') ? (read as Operation) : null;
  } catch {
    return null;
  }
}
