/** What is checked, by name, and in which words it is told to people. `I1` to `I6` are the promises of docs/reliability.md. */
export const CHECKS = {
  'two-open-tickets': 'I1  a player is in two open tickets',
  'two-live-matches': 'I1  a player is in two live matches',
  'ticket-state': "I2  a ticket's fields contradict its state",
  'ticket-match': 'I2  a matched or proposed ticket is in no match that holds it',
  'ticket-overdue': 'I2  a ticket is over time and has not ended',
  'match-tickets': 'I2  a match holds tickets that are not its own',
  'match-state': "I2  a match's fields contradict its state",
  'match-overdue': 'I2  a proposed match is over time and not decided',
  'match-lobby': 'I3  a match has not exactly one lobby',
  'lobby-match': 'I3  a lobby belongs to a match that is not there',
  'ended-ticket': 'I4  a cancelled or expired ticket is in a match that stands',
  'news-missing': 'I5  nobody is told of a match',
  'news-late': 'I5  news has not been told for long',
  unsuited: 'I6  a match has members that another one excluded',
} as const;

export type Check = keyof typeof CHECKS;

export interface Finding {
  check: Check;
  /** What it is about, with its id, and what is wrong with it. */
  what: string;
}

/** Counts of everything, and of each kind the first few in words: a damaged database must not fill the memory. */
export interface Findings {
  add(findings: readonly Finding[]): void;
  readonly total: number;
  count(check: Check): number;
  examples(check: Check): readonly string[];
}

const EXAMPLES = 5;

export function createFindings(): Findings {
  const counts = new Map<Check, number>();
  const examples = new Map<Check, string[]>();
  return {
    add(findings) {
      for (const { check, what } of findings) {
        counts.set(check, (counts.get(check) ?? 0) + 1);
        const known = examples.get(check) ?? [];
        examples.set(check, known);
        if (known.length < EXAMPLES) known.push(what);
      }
    },
    get total() {
      return [...counts.values()].reduce((sum, count) => sum + count, 0);
    },
    count: (check) => counts.get(check) ?? 0,
    examples: (check) => examples.get(check) ?? [],
  };
}
