import { differences } from '../rule-differences';
import { fairnessCharts, qualityCharts, queueCharts, regionCharts, sourceCharts, waitCharts } from './charts';
import { toFigure, type Chart } from './chart';
import { decimal, duration, percent, whole, type Format } from './format';
import { html, Html } from './html';
import { reasonRows } from './reasons';
import type { Report, RunReport } from './report';
import { SCRIPT } from './script';
import { STYLE } from './style';

/** The whole report: one HTML document that loads nothing, the same byte for byte for the same runs. */
export const toPage = (report: Report): string => {
  const names = report.runs.map(({ name }) => name).join(' and ');
  return `<!doctype html>\n${
    html`<html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          http-equiv="Content-Security-Policy"
          content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"
        />
        <meta name="color-scheme" content="light dark" />
        <title>Simulation: ${names}</title>
        <style>
          ${new Html(STYLE)}
        </style>
      </head>
      <body>
        <header>
          <p class="kicker">Matchmaking simulation</p>
          <h1>${title(report)}</h1>
          <p class="lead">
            ${report.source.title}. The real engine on a virtual clock, one search every
            ${duration(report.tickMs / 1000)}.
          </p>
        </header>
        <main>
          ${tiles(report)}
          ${section('waits', 'Waits', 'Of tickets that were matched, by the moment at which they came. Percentiles over few tickets jump: see “Arrivals” below.', waitCharts(report))}
          ${section('queue', 'Queue', 'How many tickets wait on average, and how many matches come of them.', queueCharts(report))}
          ${section('quality', 'Matches', 'Shares of all matches.', qualityCharts(report))}
          ${section('regions', 'Regions', null, regionCharts(report))}
          ${section('fairness', 'Fairness', 'Whether some are served worse than others. Deciles are of real skill: 1 are the weakest tenth of tickets.', fairnessCharts(report))}
          <section id="unmatched">
            <h2>Unmatched, and why</h2>
            <div class="grid">${reasonRows(report)}</div>
          </section>
          ${section('source', 'Who came', null, sourceCharts(report))}
          <dl class="facts">
            ${report.source.facts.map(
              ([name, value]) =>
                html`<div>
                  <dt>${name}</dt>
                  <dd>${value}</dd>
                </div>`,
            )}
          </dl>
          ${rulesOf(report)}
        </main>
        ${legend(report)}
        <div id="tip" hidden></div>
        ${new Html(`<script>${SCRIPT}</script>`)}
      </body>
    </html>`.text
  }\n`;
};

const title = ({ runs }: Report): Html =>
  html`${runs.map(({ name }, s) => html`${s > 0 ? html` <small>against</small> ` : null}<span class="name s${s}">${name}</span>`)}`;

const legend = ({ runs }: Report): Html =>
  html`<footer class="legend">${runs.map(({ name }, s) => html`<span><i class="s${s}"></i>${name}</span>`)}</footer>`;

const section = (id: string, heading: string, lead: string | null, charts: readonly Chart[]): Html =>
  html`<section id="${id}">
    <h2>${heading}</h2>
    ${lead === null ? null : html`<p class="lead">${lead}</p>`}
    <div class="grid">${charts.map(toFigure)}</div>
  </section>`;

/** The figures that decide, and which way is better. */
const TILES: readonly {
  name: string;
  better: 'more' | 'less';
  format: Format;
  of: (run: RunReport) => number | null;
}[] = [
  { name: 'Matched', better: 'more', format: percent, of: ({ figures }) => figures.matched },
  { name: 'Median wait', better: 'less', format: duration, of: ({ figures }) => figures.waits.median },
  { name: '95th percentile of waits', better: 'less', format: duration, of: ({ figures }) => figures.waits.p95 },
  { name: 'Mean rating spread', better: 'less', format: decimal, of: ({ figures }) => figures.means.spread },
  { name: 'Favourite’s real chance', better: 'less', format: percent, of: ({ figures }) => figures.means.real },
  { name: 'Mean quality', better: 'more', format: decimal, of: ({ figures }) => figures.means.quality },
  {
    name: 'Gave up or expired',
    better: 'less',
    format: whole,
    of: ({ figures: { outcomes } }) => outcomes.gaveUp + outcomes.expired,
  },
  { name: 'Stayed away afterwards', better: 'less', format: whole, of: ({ figures }) => figures.outcomes.stayedAway },
  { name: 'Refused: party too big', better: 'less', format: whole, of: ({ figures }) => figures.outcomes.refused },
];

const tiles = ({ runs }: Report): Html =>
  html`<div class="tiles">
    ${TILES.filter(({ of }) => runs.some((run) => of(run))).map(({ name, better, format, of }) => {
      const values = runs.map(of);
      const known = values.flatMap((value) => value ?? []);
      const best = better === 'more' ? Math.max(...known) : Math.min(...known);
      const [low, high] = [Math.min(...known), Math.max(...known)];
      // less than this is chance
      const tells = known.length > 1 && high - low > 0.02 * Math.abs(high);
      return html`<div class="tile">
        <h3>${name}</h3>
        ${values.map(
          (value, s) =>
            html`<p>
              <i class="s${s}"></i><b>${format(value)}</b>${tells && value === best ? html`<em>better</em>` : null}
            </p>`,
        )}
      </div>`;
    })}
  </div>`;

function rulesOf({ runs }: Report): Html {
  const [first, second] = runs;
  const found = first && second ? differences(first.ruleSet, second.ruleSet) : [];
  return html`<section id="rules">
    <h2>Rules</h2>
    ${
      first && second
        ? html`<div class="scroll">
            <table class="rules">
              <thead>
                <tr>
                  <th>Where they differ</th>
                  <th>${first.name}</th>
                  <th>${second.name}</th>
                </tr>
              </thead>
              <tbody>
                ${found.map(
                  ({ path, values }) =>
                    html`<tr>
                      <th>${path}</th>
                      ${values.map((value) => html`<td>${value}</td>`)}
                    </tr>`,
                )}
                ${
                  found.length === 0
                    ? html`<tr>
                        <td colspan="3">Nowhere: both are the same.</td>
                      </tr>`
                    : null
                }
              </tbody>
            </table>
          </div>`
        : null
    }
    ${runs.map(
      ({ name, ruleSet }) =>
        html`<details>
          <summary>${name}, every field</summary>
          <pre>${JSON.stringify(ruleSet, null, 2)}</pre>
        </details>`,
    )}
  </section>`;
}
