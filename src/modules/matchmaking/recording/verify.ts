import type { PoolProposal } from '../engine';
import { RecordingFault, type Operation } from './operations';
import { Playback, type Step } from './playback';

export interface Verdict {
  runs: number;
  passes: number;
  matches: number;
  /** Operations on tickets. */
  changes: number;
  /** Whether the recording ended at its limit. */
  full: boolean;
  /** The first match that came otherwise, and the time of its pass (ms); null where the replay is the same, bit for bit. */
  difference: { now: number; recorded: PoolProposal | null; replayed: PoolProposal | null } | null;
}

/** Replays a recording as it was, and compares every match with the recorded one. Ends at the first difference. */
export async function verify(operations: AsyncIterable<Operation>): Promise<Verdict> {
  const verdict: Verdict = { runs: 0, passes: 0, matches: 0, changes: 0, full: false, difference: null };
  let playback: Playback | null = null;
  let now = 0;
  /** Matches of the replay that the recording has not shown yet. */
  let ahead: Step[] = [];
  for await (const operation of operations) {
    if (operation.op === 'begin') {
      playback = new Playback(operation.seed);
      ahead = [];
      verdict.runs += 1;
      verdict.full = false;
      continue;
    }
    if (!playback) throw new RecordingFault('a recording starts with "begin"');
    let recorded: Step | null = null;
    switch (operation.op) {
      case 'pass':
        now = operation.now;
        playback.begin(now, operation.only);
        verdict.passes += 1;
        break;
      case 'match': {
        const { steps, match } = operation;
        recorded = { steps, match };
        ahead.push(...playback.advanceTo(steps));
        verdict.matches += 1;
        break;
      }
      case 'end':
        if (operation.whole) ahead.push(...playback.finish().found);
        else {
          ahead.push(...playback.advanceTo(operation.steps));
          playback.abandon();
        }
        break;
      case 'full':
        verdict.full = true;
        break;
      default:
        ahead.push(...playback.advanceTo(operation.steps ?? 0));
        apply(playback, operation);
        verdict.changes += operation.op === 'pool' ? 0 : 1;
    }
    const replayed = ahead.shift() ?? null;
    if (JSON.stringify(replayed) !== JSON.stringify(recorded)) {
      verdict.difference = { now, recorded: recorded?.match ?? null, replayed: replayed?.match ?? null };
      return verdict;
    }
  }
  return verdict;
}

function apply(playback: Playback, operation: Extract<Operation, { op: 'pool' | 'add' | 'remove' }>): void {
  if (operation.op === 'pool') playback.setPool(operation.key, operation.ruleSet);
  else if (operation.op === 'add') playback.add(operation.key, operation.ticket);
  else playback.remove(operation.id);
}
