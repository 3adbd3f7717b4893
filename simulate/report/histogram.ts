import { ticksTo, type Chart } from './chart';
import { percent } from './format';

const BINS = 20;

/** Shares of the values that lie in each of about 20 bins, named by where they begin; the bins are the same for all rule sets. */
export function histogram(
  chart: Pick<Chart, 'title' | 'note' | 'axis' | 'width'>,
  runs: readonly { name: string; values: readonly number[] }[],
  { from, to, labelOf }: { from: number; to?: number; labelOf?: (value: number) => string },
): Chart {
  const most = to ?? Math.max(from, ...runs.flatMap(({ values }) => percentileTop(values)));
  const step = to === undefined ? (ticksTo((most - from) / 5)[1] as number) : (to - from) / BINS;
  const count = Math.max(1, Math.ceil((most - from) / step - 1e-9));
  const digits = step >= 1 ? 0 : step >= 0.1 ? 1 : 2;
  const label = labelOf ?? ((value) => value.toFixed(digits));
  return {
    ...chart,
    kind: 'bars',
    format: percent,
    labels: Array.from({ length: count }, (_, i) => label(from + i * step)),
    series: runs.map(({ name, values }) => {
      const bins = new Array<number>(count).fill(0);
      for (const value of values) {
        const bin = Math.min(count - 1, Math.max(0, Math.floor((value - from) / step + 1e-9)));
        bins[bin] = (bins[bin] ?? 0) + 1;
      }
      return { name, values: bins.map((n) => (values.length === 0 ? null : n / values.length)) };
    }),
  };
}

/** A few far out do not stretch the axis: they are counted in its last bin. */
function percentileTop(values: readonly number[]): number[] {
  const sorted = [...values].sort((a, b) => a - b);
  const top = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.995))];
  return top === undefined ? [] : [top];
}
