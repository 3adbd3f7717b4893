import { BY_HAND, DUEL, reportOn, smallPopulation } from '../testing/duels';
import { traceOf } from '../trace';
import { ticksTo } from './chart';
import { toPage } from './page';

const WIDER = { ...DUEL, skill: { maxSpread: { value: 5, steps: [{ afterSeconds: 20, value: 15 }] } } };

const PLOTS = [
  'Median wait',
  '90th percentile of waits',
  '99th percentile of waits',
  'Median wait by skill',
  '90th percentile of waits by skill',
  'Tickets waiting',
  'Matches found',
  'Predicted balance',
  'Real balance',
  'Rating spread',
  'Skill spread',
  'Quality',
  'Team gap',
  'Matches by region',
  'Median wait by region',
  'Unmatched by region',
  'Unmatched by skill',
  'Favourite’s real chance by skill',
  'Median wait by party size',
  'Unmatched by party size',
  'Favourite’s real chance by party size',
  'Median wait of newcomers',
  'Newcomers unmatched',
  'Favourite’s real chance for newcomers',
  'Why tickets stayed unmatched',
  'What keeps candidates away',
  'Arrivals',
  'Tickets by home region',
  'Tickets by party size',
];

const plotsOf = (page: string) => [...page.matchAll(/data-plot="([^"]+)"/g)].map(([, title]) => title);

describe('the report', () => {
  const page = toPage(reportOn(smallPopulation(1), { narrow: DUEL, wider: WIDER }));

  it('holds every plot, each with marks of both rule sets', () => {
    expect(plotsOf(page)).toEqual(PLOTS);
    for (const figure of page.split('<figure').slice(1, 1 + PLOTS.indexOf('Arrivals'))) {
      expect(figure).toMatch(/class="(line s0|bar s0|dot s0|s0)"/);
      expect(figure).toMatch(/class="(line s1|bar s1|dot s1|s1)"/);
      expect(figure).not.toContain('Nothing to show');
    }
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });

  it('says where the rules differ', () => {
    expect(page).toMatch(/<th>skill.maxSpread<\/th>\s*<td>5<\/td>\s*<td>5, 15 after 20 s<\/td>/);
  });

  it('is the same byte for byte for the same seed', () => {
    expect(toPage(reportOn(smallPopulation(1), { narrow: DUEL, wider: WIDER }))).toBe(page);
  });

  it('loads nothing', () => {
    expect(page).not.toMatch(/https?:|\bsrc=|\bhref=|url\(|@import|<link|fetch\(/);
    expect(page).toContain("default-src 'none'");
  });

  it('stays whole where there is next to nothing to show', () => {
    const alone = traceOf('{"at": 0, "players": [{}]}', 'one.ndjson', undefined);
    const small = toPage(reportOn(alone, { 'co-op': { teams: { count: 1, size: { min: 2, max: 4 } } } }));
    expect(small).toContain('Nothing to show');
    expect(small).not.toMatch(/NaN|undefined|Infinity/);
    expect(toPage(reportOn(traceOf(BY_HAND, 'by-hand.ndjson', undefined), { duel: DUEL }))).not.toMatch(
      /NaN|undefined/,
    );
  });

  it('shows names as text', () => {
    const named = toPage(reportOn(smallPopulation(1, 20), { '<script>alert(1)</script>': DUEL }));
    expect(named).not.toContain('<script>alert');
    expect(named).toContain('&lt;script&gt;alert(1)');
  });
});

it.each([
  [0, false, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [7.3, false, [0, 2, 4, 6, 8]],
  [1100, false, [0, 250, 500, 750, 1000, 1250]],
  [230, true, [0, 60, 120, 180, 240]],
  [1100, true, [0, 300, 600, 900, 1200]],
])('an axis up to %d (time: %s) has the ticks %j', (most, areDurations, ticks) => {
  expect(ticksTo(most, areDurations)).toEqual(ticks);
});
