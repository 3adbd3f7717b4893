import type { Figures, Group, Slot } from '../figures';
import type { PlayedMatch } from '../judge-match';
import type { Chart } from './chart';
import { clock, decimal, duration, percent, whole, type Format } from './format';
import { histogram } from './histogram';
import type { Report } from './report';

/** The plots of a report, section by section. */

export function waitCharts(report: Report): Chart[] {
  const over = (title: string, pick: (slot: Slot) => number | null) => overTime(report, title, pick, duration, 3);
  return [
    over('Median wait', (slot) => slot.median),
    over('90th percentile of waits', (slot) => slot.p90),
    over('99th percentile of waits', (slot) => slot.p99),
    byGroup(report, 'deciles', 'Median wait by skill', 'decile of skill', (group) => group.median, duration, 2),
    byGroup(
      report,
      'deciles',
      '90th percentile of waits by skill',
      'decile of skill',
      (group) => group.p90,
      duration,
      2,
    ),
  ];
}

export const queueCharts = (report: Report): Chart[] => [
  overTime(report, 'Tickets waiting', (slot) => slot.depth, decimal, 2),
  overTime(report, 'Matches found', (slot) => slot.matches, whole, 2),
];

export function qualityCharts(report: Report): Chart[] {
  const isCoop = report.runs.every(({ ruleSet }) => ruleSet.teams.count === 1);
  const width = isCoop ? 3 : 2;
  const spread = (
    title: string,
    note: string,
    axis: string,
    valueOf: (match: PlayedMatch) => number | null,
    to?: number,
  ) => histogram({ title, note, axis, width }, valuesOf(report, valueOf), { from: 0, ...(to && { to }) });
  const chance = (title: string, note: string, which: 'predicted' | 'real') =>
    histogram(
      { title, note, axis: 'chance of the favourite', width: 2 },
      valuesOf(report, ({ favourite }) => favourite && favourite[which]),
      { from: 1 / teamsOf(report), to: 1, labelOf: (chance) => `${Math.round(chance * 100)} %` },
    );
  const all = [
    spread('Rating spread', 'Highest minus lowest rating of the tickets in a match.', 'mu', (match) => match.spread),
    spread(
      'Skill spread',
      'The same with the real skill of every player, parties included.',
      'skill',
      (match) => match.skillSpread,
    ),
    spread('Quality', 'The figure of the engine: 1 is nothing to wish for.', 'quality', (match) => match.quality, 1),
  ];
  if (isCoop) return all;
  return [
    chance('Predicted balance', 'By rating and uncertainty. Left is even, right is decided.', 'predicted'),
    chance('Real balance', 'By the real skills, which only the simulation knows.', 'real'),
    ...all,
    spread(
      'Team gap',
      'Between the mean ratings of the strongest and the weakest team.',
      'mu',
      (match) => match.teamGap,
    ),
  ];
}

export function regionCharts(report: Report): Chart[] {
  const regions = [
    ...new Set(report.runs.flatMap(({ figures }) => figures.matchesByRegion.map(({ region }) => region))),
  ];
  return [
    {
      title: 'Matches by region',
      note: 'Where they are played; “any” where nobody cares.',
      kind: 'bars',
      width: 3,
      axis: 'region',
      labels: regions,
      format: whole,
      series: report.runs.map(({ name, figures }) => ({
        name,
        values: regions.map((each) => figures.matchesByRegion.find(({ region }) => region === each)?.matches ?? 0),
      })),
    },
    byGroup(report, 'regions', 'Median wait by region', 'home region', (group) => group.median, duration, 3),
    byGroup(report, 'regions', 'Unmatched by region', 'home region', (group) => group.unmatched, percent, 3),
  ];
}

export function fairnessCharts(report: Report): Chart[] {
  const versus = report.runs.some(({ ruleSet }) => ruleSet.teams.count > 1);
  const good = (group: Group) => (versus ? group.favourite : group.quality);
  const what = versus ? 'Favourite’s real chance' : 'Quality';
  const format = versus ? percent : decimal;
  return [
    byGroup(report, 'deciles', 'Unmatched by skill', 'decile of skill', (group) => group.unmatched, percent, 2),
    byGroup(report, 'deciles', `${what} by skill`, 'decile of skill', good, format, 2),
    byGroup(
      report,
      'parties',
      'Median wait by party size',
      'players in the party',
      (group) => group.median,
      duration,
      3,
    ),
    byGroup(
      report,
      'parties',
      'Unmatched by party size',
      'players in the party',
      (group) => group.unmatched,
      percent,
      3,
    ),
    byGroup(report, 'parties', `${what} by party size`, 'players in the party', good, format, 3),
    byGroup(report, 'experience', 'Median wait of newcomers', 'players', (group) => group.median, duration, 3),
    byGroup(report, 'experience', 'Newcomers unmatched', 'players', (group) => group.unmatched, percent, 3),
    byGroup(report, 'experience', `${what} for newcomers`, 'players', good, format, 3),
  ];
}

/** Who came: the same for every rule set, so of one series. */
export function sourceCharts({ frame, runs }: Report): Chart[] {
  const [first] = runs;
  if (!first) return [];
  const bars = (title: string, axis: string, groups: readonly Group[]): Chart => ({
    title,
    kind: 'bars',
    neutral: true,
    width: 3,
    axis,
    labels: groups.map(({ name }) => name),
    format: whole,
    series: [{ name: 'tickets', values: groups.map(({ tickets }) => tickets) }],
  });
  return [
    {
      title: 'Arrivals',
      kind: 'lines',
      neutral: true,
      width: 3,
      axis: 'time',
      labels: first.figures.slots.map(({ at }) => clock(at - frame.startMs)),
      format: whole,
      series: [{ name: 'tickets', values: first.figures.slots.map(({ arrived }) => arrived) }],
    },
    bars('Tickets by home region', 'home region', first.figures.regions),
    bars('Tickets by party size', 'players in the party', first.figures.parties),
  ];
}

const teamsOf = ({ runs }: Report): number => Math.max(2, ...runs.map(({ ruleSet }) => ruleSet.teams.count));

const valuesOf = ({ runs }: Report, valueOf: (match: PlayedMatch) => number | null) =>
  runs.map(({ name, matches }) => ({ name, values: matches.flatMap((match) => valueOf(match) ?? []) }));

function overTime(
  { runs, frame }: Report,
  title: string,
  pick: (slot: Slot) => number | null,
  format: Format,
  width: Chart['width'],
): Chart {
  const slots = runs[0]?.figures.slots ?? [];
  return {
    title,
    kind: 'lines',
    width,
    axis: 'time',
    labels: slots.map(({ at }) => clock(at - frame.startMs)),
    format,
    series: runs.map(({ name, figures }) => ({ name, values: figures.slots.map(pick) })),
  };
}

function byGroup(
  { runs }: Report,
  groups: keyof Pick<Figures, 'deciles' | 'parties' | 'experience' | 'regions'>,
  title: string,
  axis: string,
  pick: (group: Group) => number | null,
  format: Format,
  width: Chart['width'],
): Chart {
  return {
    title,
    kind: 'bars',
    width,
    axis,
    labels: runs[0]?.figures[groups].map(({ name }) => name) ?? [],
    format,
    series: runs.map(({ name, figures }) => ({ name, values: figures[groups].map(pick) })),
  };
}
