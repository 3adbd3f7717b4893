import type { Random } from '../src/core/random';
import { possibleTotals, type PlayableMode } from './catalogue';
import { between, oneOf, shuffled } from './chance';

/**
 * Who takes part and what they want, decided before anything happens: the same seed makes the same cast. A group is what
 * searches together: somebody alone, or a party that meets in a lobby first.
 */
export interface Group {
  /** Positions in the cast; the first one hosts and submits. */
  members: number[];
  wishes: Wishes;
  /** Declines the first proposal it gets. */
  hesitates: boolean;
  /** Loses its connection while it waits, and comes back. */
  drops: boolean;
}

export interface Wishes {
  games: { gameId: string; mode: string; weight: number }[];
  regions: string[];
  regionPreference: 'strict' | 'preferred' | 'any';
  languages: string[];
  languagePreference: 'strict' | 'any';
}

export interface Cast {
  groups: Group[];
  modes: PlayableMode[];
  /** How well each player really plays: what results follow, and ratings have to find out. */
  strengths: number[];
  /** Pairs of players of whom the first one blocks the second. */
  blocks: [number, number][];
}

/** Holding out longer than this is more than a demonstration can wait for. */
const LONGEST_HOLD_SECONDS = 20;
const MOST_MODES = 6;

/**
 * @param modes of the catalogue: a handful of different kinds is chosen, as many as the players can fill
 * @throws where no mode can be played by so few
 */
export function castOf(random: Random, players: number, modes: readonly PlayableMode[]): Cast {
  const chosen = chooseModes(random, players, modes);
  const groups: Group[] = [];
  for (let next = 0; next < players;) {
    const mode = chosen[groups.length % chosen.length] as PlayableMode;
    const size = Math.min(partySize(random, mode), players - next);
    const members = Array.from({ length: size }, (_, i) => next + i);
    const hesitates = random() < 0.03;
    groups.push({ members, wishes: wishesOf(random, mode, chosen, size), hesitates, drops: random() < 0.05 });
    next += size;
  }
  return {
    groups: shuffled(random, groups),
    modes: chosen,
    strengths: Array.from({ length: players }, () => 25 + 8 * bell(random)),
    blocks: blocksOf(random, groups, players),
  };
}

/** Modes of different kinds first: co-op and versus, with and without acceptance and roles; each is to fill a few matches. */
function chooseModes(random: Random, players: number, modes: readonly PlayableMode[]): PlayableMode[] {
  const fewest = (mode: PlayableMode) => possibleTotals(mode)[0] ?? Infinity;
  const playable = modes.filter((mode) => fewest(mode) <= players && mode.holdSeconds <= LONGEST_HOLD_SECONDS);
  const chosen: PlayableMode[] = [];
  let seats = 0;
  for (const mode of mixed(shuffled(random, playable), kindOf)) {
    const needed = 3 * fewest(mode);
    if (chosen.length === MOST_MODES || (chosen.length > 0 && seats + needed > players)) continue;
    chosen.push(mode);
    seats += needed;
  }
  if (chosen.length === 0)
    throw new Error(
      `None of the ${modes.length} modes can be played by ${players}: take more players or another game.`,
    );
  return chosen;
}

const kindOf = ({ teams, roles, asksToAccept }: PlayableMode): string =>
  [teams.count === 1, teams.size.max > 1, asksToAccept, roles !== null].join();

/** One of each kind, then the second of each kind, and so on. */
function mixed<Item>(items: readonly Item[], kind: (item: Item) => string): Item[] {
  const before = new Map<string, number>();
  const ranked = items.map((item) => {
    const rank = before.get(kind(item)) ?? 0;
    before.set(kind(item), rank + 1);
    return { item, rank };
  });
  return ranked.sort((a, b) => a.rank - b.rank).map(({ item }) => item);
}

/** Most come alone; parties of two and three where the mode has room for them in a team. */
function partySize(random: Random, { teams }: PlayableMode): number {
  const most = Math.min(3, teams.size.max, teams.count === 1 ? teams.size.max - 1 : teams.size.max);
  return most > 1 && random() < 0.3 ? between(random, 2, most) : 1;
}

function wishesOf(random: Random, mode: PlayableMode, modes: readonly PlayableMode[], size: number): Wishes {
  const others = modes.filter((other) => other !== mode && other.teams.size.max >= size);
  const second = others.length > 0 && random() < 0.3 ? [{ ...idOf(oneOf(random, others)), weight: 3 }] : [];
  return {
    games: [{ ...idOf(mode), weight: 8 }, ...second],
    regions: oneOf(random, [[], [], ['EU'], ['EU', 'NA'], ['NA']]),
    regionPreference: oneOf(random, ['strict', 'preferred', 'any', 'any', 'any']),
    languages: oneOf(random, [['en'], ['en', 'de'], ['en', 'pt-BR'], ['de']]),
    languagePreference: random() < 0.1 ? 'strict' : 'any',
  };
}

const idOf = ({ gameId, mode }: PlayableMode) => ({ gameId, mode });

/** A few players, one in fifty, who never want to meet a certain other one who is not in their party. */
function blocksOf(random: Random, groups: readonly Group[], players: number): [number, number][] {
  const partyOf = new Map(groups.flatMap((group) => group.members.map((member) => [member, group] as const)));
  const pairs = Array.from({ length: Math.floor(players / 50) }, (): [number, number] => [
    between(random, 0, players - 1),
    between(random, 0, players - 1),
  ]);
  return pairs.filter(([by, who]) => partyOf.get(by) !== partyOf.get(who));
}

/** Roughly normal, mean 0, standard deviation 1 (the sum of twelve uniform numbers, less six). */
const bell = (random: Random): number => Array.from({ length: 12 }, random).reduce((sum, x) => sum + x, -6);
