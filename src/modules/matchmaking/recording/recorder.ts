import type { RuleSet } from '../../games';
import type { Engine, PoolProposal, Ticket } from '../engine';
import { toRecorded, VERSION, type Operation } from './operations';

/** What the pools need of an engine. */
export type SearchEngine = Pick<Engine, 'setPool' | 'add' | 'remove' | 'has' | 'keys' | 'pool' | 'explain' | 'pass'>;

/** Where operations go; it must not keep the caller waiting. */
export interface OperationSink {
  write(operation: Operation): void;
}

/** The same engine, which besides writes down what it is told and the matches that it gives. It has to be new. */
export function recordedEngine(
  engine: SearchEngine,
  sink: OperationSink,
  { seed, at }: { seed: number; at: number },
): SearchEngine {
  /** How often the running pass has been advanced; undefined between passes. */
  let steps: number | undefined;
  const whileSearching = () => (steps === undefined ? {} : { steps });

  function* pass(now: number, only?: ReadonlySet<string>): Generator<PoolProposal | null> {
    sink.write({ op: 'pass', now, only: only ? [...only] : null });
    steps = 0;
    let whole = false;
    try {
      for (const proposal of engine.pass(now, only)) {
        steps += 1;
        if (proposal) sink.write({ op: 'match', match: proposal, steps });
        yield proposal;
      }
      whole = true;
    } finally {
      sink.write({ op: 'end', steps, whole });
      steps = undefined;
    }
  }

  sink.write({ op: 'begin', version: VERSION, at, seed });
  return {
    setPool(key: string, ruleSet: RuleSet) {
      sink.write({ op: 'pool', key, ruleSet, ...whileSearching() });
      engine.setPool(key, ruleSet);
    },
    add(key: string, ticket: Ticket) {
      engine.add(key, ticket);
      sink.write({ op: 'add', key, ticket: toRecorded(ticket), ...whileSearching() });
    },
    remove(id: string) {
      sink.write({ op: 'remove', id, ...whileSearching() });
      engine.remove(id);
    },
    pass,
    has: (id) => engine.has(id),
    keys: () => engine.keys(),
    pool: (key) => engine.pool(key),
    explain: (key, id, now) => engine.explain(key, id, now),
  };
}
