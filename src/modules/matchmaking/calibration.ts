import type { Connection } from 'mongoose';
import { createMatchModel, type MatchRow } from './matchmaking.models';
import { poolKey } from './matchmaking.policy';

/**
 * How well the chances that the engine gave to teams agree with what happened: of the teams that were given 70 %, some 70 %
 * should have won. One number for it is the Brier score, the mean of (chance - result)² over the teams of a match and then over
 * matches, where the result is 1 for the winner and 0 for the others, and teams that drew first share the 1. 0 is perfect; a coin,
 * which gives each of k teams 1/k, is what a prediction has to beat.
 */
export interface Calibration {
  gameId: string;
  gameName: string;
  mode: string;
  /** Completed matches with ranks. */
  matches: number;
  brier: number;
  coin: number;
  /** The Brier score to expect if every chance were exactly right. */
  promised: number;
  /** 1 - brier / coin: 1 perfect, 0 no better than a coin, negative worse. Null where a coin cannot be wrong. */
  skill: number | null;
  /** Each team of each match, by the chance it was given: ten buckets of 10 %, empty ones left out. */
  buckets: Bucket[];
}

export interface Bucket {
  from: number;
  to: number;
  teams: number;
  /** Means of the chances and of the results. */
  predicted: number;
  actual: number;
}

export type FinishedMatch = Pick<MatchRow, 'gameId' | 'gameName' | 'mode' | 'chances' | 'outcome'>;

const BUCKETS = 10;

class Tally {
  private matches = 0;
  private brier = 0;
  private coin = 0;
  private promised = 0;
  private readonly buckets = Array.from({ length: BUCKETS }, () => ({ teams: 0, predicted: 0, actual: 0 }));

  constructor(
    private readonly gameId: string,
    private gameName: string,
    private readonly mode: string,
  ) {}

  add(gameName: string, chances: readonly number[], results: readonly number[]): void {
    const count = chances.length;
    this.gameName = gameName;
    this.matches += 1;
    chances.forEach((chance, team) => {
      const result = results[team] as number;
      this.brier += (chance - result) ** 2 / count;
      this.coin += (1 / count - result) ** 2 / count;
      this.promised += (chance * (1 - chance)) / count;
      const bucket = this.buckets[Math.min(BUCKETS - 1, Math.floor(chance * BUCKETS))];
      if (!bucket) return;
      bucket.teams += 1;
      bucket.predicted += chance;
      bucket.actual += result;
    });
  }

  result(): Calibration {
    const { gameId, gameName, mode, matches } = this;
    const [brier, coin, promised] = [this.brier / matches, this.coin / matches, this.promised / matches];
    const buckets = this.buckets.flatMap(({ teams, predicted, actual }, i) =>
      teams === 0
        ? []
        : [{ from: i / BUCKETS, to: (i + 1) / BUCKETS, teams, predicted: predicted / teams, actual: actual / teams }],
    );
    const skill = coin === 0 ? null : 1 - brier / coin;
    return { gameId, gameName, mode, matches, brier, coin, promised, skill, buckets };
  }
}

/** Matches without chances (co-op), or without ranks, do not count. @returns one for each mode, by name */
export async function calibrate(
  matches: AsyncIterable<FinishedMatch> | Iterable<FinishedMatch>,
): Promise<Calibration[]> {
  const tallies = new Map<string, Tally>();
  for await (const { gameId, gameName, mode, chances, outcome } of matches) {
    const results = outcome?.ranks && resultsOf(outcome.ranks);
    if (!chances || !results || chances.length !== results.length) continue;
    const key = poolKey(gameId.toHexString(), mode);
    const tally = tallies.get(key) ?? new Tally(gameId.toHexString(), gameName, mode);
    tallies.set(key, tally);
    tally.add(gameName, chances, results);
  }
  const title = ({ gameName, mode }: Calibration) => `${gameName} ${mode}`;
  return [...tallies.values()].map((tally) => tally.result()).sort((a, b) => (title(a) < title(b) ? -1 : 1));
}

/** 1 for the winner; teams that drew first share it. */
function resultsOf(ranks: readonly number[]): number[] {
  const first = Math.min(...ranks);
  const winners = ranks.filter((rank) => rank === first).length;
  return ranks.map((rank) => (rank === first ? 1 / winners : 0));
}

/** Calibration by all finished matches of a database, row by row. */
export function calibrationOf(connection: Connection): Promise<Calibration[]> {
  const fields = { gameId: 1, gameName: 1, mode: 1, chances: 1, outcome: 1 };
  return calibrate(createMatchModel(connection).find({ state: 'completed' }, fields).lean<FinishedMatch>().cursor());
}

/** A table for each mode. */
export function calibrationText(modes: readonly Calibration[]): string {
  if (modes.length === 0) return 'No match of teams has been finished and reported so far.';
  return modes
    .map(({ gameName, mode, matches, brier, coin, promised, skill, buckets }) => {
      const better =
        skill === null ? '' : `, ${percent(Math.abs(skill))} ${skill < 0 ? 'worse' : 'better'} than a coin`;
      const rows = buckets.map(({ from, to, teams, predicted, actual }) => [
        `${Math.round(from * 100)}-${percent(to)}`,
        String(teams),
        percent(predicted),
        percent(actual),
      ]);
      const table = [['chance', 'teams', 'predicted', 'won'], ...rows].map(
        ([name = '', ...cells]) => `  ${name.padEnd(10)}${cells.map((cell) => cell.padStart(11)).join('')}`,
      );
      return [
        `${gameName} ${mode}: ${matches} ${matches === 1 ? 'match' : 'matches'}`,
        `  Brier score ${brier.toFixed(4)}${better} (${coin.toFixed(4)}); exact chances would give ${promised.toFixed(4)}`,
        ...table,
      ].join('\n');
    })
    .join('\n\n');
}

const percent = (share: number): string => `${Number((share * 100).toFixed(1))} %`;
