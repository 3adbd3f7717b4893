import type { MatchRow, TicketRow } from '../../src/modules/matchmaking/matchmaking.models';
import { pairOf, type RelationRow } from '../../src/modules/users/relations.models';
import type { Finding } from './findings';

/**
 * Whether the members of a match asked for each other, by what never yields in a ticket: the mode, the group size, strict regions
 * and languages; and whether one of them had blocked another. Written without the engine, and never stricter than it: what
 * waiting relaxes is left out.
 */
export function unsuitedOf(
  match: MatchRow,
  tickets: readonly TicketRow[],
  blocks: ReadonlyMap<string, RelationRow>,
): Finding[] {
  const size = match.teams.flat().length;
  const amiss = [
    ...tickets.map(
      ({ _id, games }) =>
        !games.some(({ gameId, mode }) => gameId.equals(match.gameId) && mode === match.mode) &&
        `is of a mode that ticket ${String(_id)} did not name`,
    ),
    ...tickets.map(
      ({ _id, groupSize }) =>
        groupSize !== null &&
        (size < groupSize.min || size > groupSize.max) &&
        `has ${size} players, and ticket ${String(_id)} asked for ${groupSize.min} to ${groupSize.max}`,
    ),
    !shareRegion(match, tickets) && 'has members from regions that another one excluded',
    !shareLanguage(tickets) && 'has members without a language that another one insisted on',
    ...blockedPairs(match, blocks).map((pair) => `has members of whom one had blocked the other: ${pair}`),
  ];
  return amiss.flatMap((what) =>
    what === false ? [] : { check: 'unsuited', what: `match ${String(match._id)} ${what}` },
  );
}

const insistsOnRegion = (row: TicketRow): boolean => row.regionPreference === 'strict' && row.regions.length > 0;

function shareRegion({ region }: MatchRow, tickets: readonly TicketRow[]): boolean {
  if (!tickets.some(insistsOnRegion)) return true;
  // where it plays may widen by waiting, or be measured
  const bound = tickets.filter(
    (row) =>
      insistsOnRegion(row) ||
      (row.regionPreference === 'any' && row.regions.length > 0 && Object.keys(row.latencies).length === 0),
  );
  const common = (bound[0]?.regions ?? []).filter((one) => bound.every((row) => row.regions.includes(one)));
  return common.length > 0 && (region === null || common.includes(region));
}

function shareLanguage(tickets: readonly TicketRow[]): boolean {
  const speaking = tickets.filter((row) => row.languages.length > 0);
  if (!speaking.some((row) => row.languagePreference === 'strict')) return true;
  const [first = [], ...others] = speaking.map((row) => row.languages.map(primary));
  return first.some((language) => others.every((spoken) => spoken.includes(language)));
}

/** Speakers of `pt-BR` and `pt` understand each other. */
const primary = (tag: string): string => (tag.split('-')[0] ?? tag).toLowerCase();

/** A block that is made in the same moment may come too late for a match, or too early to be seen. */
const SAME_MOMENT_MS = 1000;

function blockedPairs(match: MatchRow, blocks: ReadonlyMap<string, RelationRow>): string[] {
  if (blocks.size === 0) return [];
  const before = match.createdAt.getTime() - SAME_MOMENT_MS;
  const tickets = match.tickets.map(({ userIds }) => userIds.map(String));
  const pairs = tickets.flatMap((mine, i) =>
    tickets.slice(i + 1).flatMap((theirs) => mine.flatMap((one) => theirs.map((other) => pairOf(one, other)))),
  );
  return pairs.filter((pair) => (blocks.get(pair)?.since.getTime() ?? Infinity) < before);
}
