import type { Figures, Frame } from '../figures';
import type { NamedRules } from '../json-files';
import type { RunLog } from '../run';
import type { Source } from '../arrivals';

/** One rule set and what came of it. */
export interface RunReport extends NamedRules {
  figures: Figures;
  matches: RunLog['matches'];
}

export interface Report {
  source: Source;
  frame: Frame;
  /** One, or two over the same source. */
  runs: readonly RunReport[];
  tickMs: number;
}
