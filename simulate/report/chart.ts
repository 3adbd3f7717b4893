import { html, type Html } from './html';
import { duration, type Format } from './format';

/** What is plotted: a value for each label, for each rule set. Colours tell rule sets apart, in every chart alike. */
export interface Chart {
  title: string;
  /** What to make of it, in a sentence. */
  note?: string;
  kind: 'lines' | 'bars';
  labels: readonly string[];
  /** What the labels are. */
  axis: string;
  series: readonly { name: string; values: readonly (number | null)[] }[];
  /** What is no rule set's has no rule set's colour. */
  neutral?: boolean;
  format: Format;
  /** Its share of a row: one of two, or of three. */
  width: 2 | 3;
}

const HEIGHT = 220;
const MARGIN = { top: 10, right: 8, bottom: 40, left: 52 };
const LABEL_ROOM = 34;

export function toFigure(chart: Chart): Html {
  return html`<figure class="w${chart.width}" data-plot="${chart.title}">
    <figcaption>
      <h3>${chart.title}</h3>
      ${chart.note ? html`<p>${chart.note}</p>` : null}
    </figcaption>
    ${hasValues(chart) ? toSvg(chart) : html`<p class="empty">Nothing to show.</p>`}
    <details>
      <summary>Numbers</summary>
      ${toTable(chart)}
    </details>
  </figure>`;
}

const hasValues = ({ series }: Chart) => series.some(({ values }) => values.some((value) => value !== null));

function toSvg(chart: Chart): Html {
  const width = chart.width === 2 ? 520 : 340;
  const plot = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const ticks = ticksTo(
    Math.max(0, ...chart.series.flatMap(({ values }) => values.map((value) => value ?? 0))),
    chart.format === duration,
  );
  const top = ticks.at(-1) as number;
  // one unit for one axis
  const tickLabel = (tick: number) =>
    chart.format === duration && top >= 120 ? `${round(tick / 60)} min` : chart.format(tick);
  const y = (value: number) => round(plot.height - (value / top) * plot.height);
  const band = plot.width / chart.labels.length;
  const label = `${chart.title}, by ${chart.axis}. The numbers are in the table below.`;
  return html`<svg viewBox="0 0 ${width} ${HEIGHT}" role="img" aria-label="${label}">
    <g transform="translate(${MARGIN.left} ${MARGIN.top})">
      ${ticks.map((tick) => html`<line class="grid" x2="${plot.width}" y1="${y(tick)}" y2="${y(tick)}" /><text class="y" x="-8" y="${y(tick)}">${tickLabel(tick)}</text>`)}
      ${xLabels(chart, band, plot.height)}
      <text class="axis" x="${round(plot.width / 2)}" y="${plot.height + 35}">${chart.axis}</text>
      ${chart.kind === 'lines' ? lines(chart, band, y) : bars(chart, band, y, plot.height)}
      ${chart.labels.map((_, i) => html`<rect class="hit" x="${round(i * band)}" width="${round(band)}" height="${plot.height}" data-tip="${tipOf(chart, i)}" />`)}
    </g>
  </svg>`;
}

const round = (x: number): number => Math.round(x * 100) / 100;

function tipOf({ labels, axis, series, format }: Chart, i: number): string {
  return [`${axis} ${labels[i]}`, ...series.map(({ name, values }) => `${name}: ${format(values[i] ?? null)}`)].join(
    '\n',
  );
}

/** As many labels as there is room for. */
function xLabels({ labels, kind }: Chart, band: number, height: number): Html[] {
  const longest = Math.max(...labels.map((label) => label.length));
  const every = Math.ceil(Math.max(LABEL_ROOM, longest * 7.5) / band);
  const step = kind === 'lines' ? roundTime(labels, every) : ([1, 2, 5, 10].find((n) => n >= every) ?? every);
  return labels.flatMap((label, i) =>
    i % step === 0 ? [html`<text class="x" x="${round((i + 0.5) * band)}" y="${height + 17}">${label}</text>`] : [],
  );
}

/** Times since the start at which people look at a clock. */
const ROUND_TIMES = /^(00:(05|10|20|30)|0[123468]:00|(12|24|48|72):00)$/;

/** The first label from this one on that is a round time, so that its multiples are. */
function roundTime(labels: readonly string[], every: number): number {
  const found = labels.findIndex((label, i) => i >= every && ROUND_TIMES.test(label));
  return found < 0 ? every : found;
}

/** A line breaks where there is no value; a value alone is a dot. */
function lines({ series, neutral }: Chart, band: number, y: (value: number) => number): Html[] {
  return series.flatMap(({ values }, s) => {
    const runs: string[][] = [[]];
    values.forEach((value, i) => {
      if (value === null) runs.push([]);
      else runs.at(-1)?.push(`${round((i + 0.5) * band)},${y(value)}`);
    });
    return runs.flatMap((run) => {
      const [first = ''] = run;
      const [cx = '', cy = ''] = first.split(',');
      if (run.length === 0) return [];
      if (run.length === 1)
        return [html`<circle class="dot ${neutral ? 'plain' : `s${s}`}" cx="${cx}" cy="${cy}" r="2.5" />`];
      return [html`<polyline class="line ${neutral ? 'plain' : `s${s}`}" points="${run.join(' ')}" />`];
    });
  });
}

function bars({ series, neutral }: Chart, band: number, y: (value: number) => number, height: number): Html[] {
  const gap = Math.min(8, band * 0.2);
  const between = series.length > 1 && band > 12 ? 2 : 0;
  const width = Math.min(36, (band - gap - between * (series.length - 1)) / series.length);
  const all = width * series.length + between * (series.length - 1);
  return series.flatMap(({ values }, s) =>
    values.flatMap((value, i) => {
      if (value === null || value <= 0) return [];
      const x = i * band + (band - all) / 2 + s * (width + between);
      const top = y(value);
      const corner = Math.min(3, width / 3, height - top);
      return [
        html`<path
          class="bar ${neutral ? 'plain' : `s${s}`}"
          d="M${round(x)} ${height}V${round(top + corner)}q0-${round(corner)} ${round(corner)}-${round(corner)}h${round(width - 2 * corner)}q${round(corner)} 0 ${round(corner)} ${round(corner)}V${height}z"
        />`,
      ];
    }),
  );
}

function toTable({ labels, axis, series, format }: Chart): Html {
  return html`<div class="scroll">
    <table>
      <thead>
        <tr>
          <th>${axis}</th>
          ${series.map(({ name }) => html`<th>${name}</th>`)}
        </tr>
      </thead>
      <tbody>
        ${labels.map(
          (label, i) =>
            html`<tr>
              <th>${label}</th>
              ${series.map(({ values }) => html`<td>${format(values[i] ?? null)}</td>`)}
            </tr>`,
        )}
      </tbody>
    </table>
  </div>`;
}

/** Steps in seconds at which people read time. */
const DURATIONS = [1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1200, 1800, 3600, 7200, 14_400, 28_800, 86_400];

/** From 0 to at least `most` in round steps, about four of them: 1, 2, 2.5 or 5 times a power of ten, or round times. */
export function ticksTo(most: number, areDurations = false): number[] {
  const top = most > 0 ? most : 1;
  const rough = top / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const decimals = [1, 2, 2.5, 5, 10].map((n) => n * power);
  const step = (areDurations && rough >= 1 ? DURATIONS : decimals).find((each) => each >= rough * 0.8) ?? rough;
  const count = Math.max(1, Math.ceil(top / step - 1e-9));
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)));
}
