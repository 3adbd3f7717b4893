import type { RuleSet, Widening } from '../src/modules/games/rule-set';

export interface Difference {
  path: string;
  values: readonly [string, string];
}

/** Where two rule sets differ, limits with their steps taken as one. */
export const differences = (a: RuleSet, b: RuleSet): Difference[] => compare('', a, b);

function compare(path: string, a: unknown, b: unknown): Difference[] {
  if (isBranch(a) && isBranch(b))
    return [...new Set([...Object.keys(a), ...Object.keys(b)])].flatMap((key) =>
      compare(path === '' ? key : `${path}.${key}`, a[key], b[key]),
    );
  const values = [wording(a), wording(b)] as const;
  return values[0] === values[1] ? [] : [{ path, values }];
}

const isBranch = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !isWidening(value) && !Array.isArray(value);

function wording(value: unknown): string {
  if (value === null || value === undefined) return 'none';
  if (isWidening(value)) return limitInWords(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const isWidening = (value: unknown): value is Widening =>
  typeof value === 'object' && value !== null && 'value' in value && 'steps' in value;

function limitInWords({ value, steps, interpolate }: Widening): string {
  const words = [String(value), ...steps.map((step) => `${step.value} after ${step.afterSeconds} s`)].join(', ');
  return interpolate && steps.length > 0 ? `${words}, growing evenly` : words;
}
