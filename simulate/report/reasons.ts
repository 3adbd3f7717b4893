import { EXCLUSIONS } from '../../src/modules/matchmaking/engine';
import { REASONS, type Reason } from '../reason';
import { percent } from './format';
import { html, type Html } from './html';
import type { Report } from './report';

const WORDS: Record<Reason, readonly [string, string]> = {
  tooFew: ['Too few players', 'Everybody who waited was not enough for a match.'],
  noGroup: ['No group of them', 'Enough players suited it one by one, but never together: teams, roles, one another.'],
  blocked: ['Blocked', 'A block list kept most candidates away.'],
  recent: ['Recent company', 'Most candidates had just played with it.'],
  skill: ['Skill', 'Most candidates were too far away in rating.'],
  region: ['Region', 'Most candidates shared no region, or none within the latency limit.'],
  language: ['Language', 'Most candidates shared no language.'],
  groupSize: ['Group size', 'Most candidates wanted another group size.'],
  lobby: ['Lobby', 'Most candidates were open lobbies as well.'],
};

/** Why tickets found no match, as rows of bars. */
export const reasonRows = (report: Report): Html =>
  html` ${rows(
    report,
    'Why tickets stayed unmatched',
    'The main reason, by the engine’s explanation at the moment when they gave up. Shares of all tickets that stayed unmatched.',
    REASONS,
    ({ figures }, reason) => {
      const all = REASONS.reduce((sum, each) => sum + figures.reasons[each], 0);
      return all === 0 ? null : figures.reasons[reason] / all;
    },
  )}
  ${rows(report, 'What keeps candidates away', 'Of all the candidates that an unmatched ticket had in the end, how many each rule excluded. One candidate may be excluded by several.', EXCLUSIONS, ({ figures }, rule) => figures.excluded[rule])}`;

function rows<Key extends Reason>(
  { runs }: Report,
  title: string,
  note: string,
  keys: readonly Key[],
  shareOf: (run: Report['runs'][number], key: Key) => number | null,
): Html {
  const shown = keys.filter((key) => runs.some((run) => (shareOf(run, key) ?? 0) > 0));
  return html`<figure class="w2" data-plot="${title}">
    <figcaption>
      <h3>${title}</h3>
      <p>${note}</p>
    </figcaption>
    ${shown.length === 0 ? html`<p class="empty">Every ticket was matched.</p>` : null}
    <dl class="rows">
      ${shown.map(
        (key) =>
          html`<dt title="${WORDS[key][1]}">${WORDS[key][0]}</dt>
            <dd>
              ${runs.map((run, s) => {
                const share = shareOf(run, key);
                return html`<div class="row" data-tip="${`${WORDS[key][1]}\n${run.name}: ${percent(share)}`}">
                  <i class="s${s}" style="width:${((share ?? 0) * 100).toFixed(1)}%"></i><b>${percent(share)}</b>
                </div>`;
              })}
            </dd>`,
      )}
    </dl>
  </figure>`;
}
