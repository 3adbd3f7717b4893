import type { Types } from 'mongoose';
import type { Clock } from '../../core/clock';
import type { GamesApi } from '../games';
import type { UsersApi } from '../users';
import type { MatchModel, MatchRow } from './matchmaking.models';
import { poolKey, poolOf } from './matchmaking.policy';

/** With whom the players of one ticket must not, or would rather not, be matched. */
export interface Company {
  blocked: ReadonlySet<string>;
  /** By pool: whom they have met there lately, or were proposed with in a match that fell through. */
  met: ReadonlyMap<string, ReadonlySet<string>>;
}

const NO_COMPANY: Company = { blocked: new Set(), met: new Map() };

/** Who searches, and where. */
export interface Seekers {
  userIds: readonly string[];
  pools: readonly string[];
}

/** The company of each of these, in their order. */
export type CompanyOf = (seekers: readonly Seekers[]) => Promise<Company[]>;

/** How far back a pool looks, and whether its players are asked before a match stands: else none falls through. */
interface Memory {
  ms: number;
  asks: boolean;
}

type Meeting = Pick<MatchRow, 'gameId' | 'mode' | 'players' | 'createdAt'>;

export function createCompany({
  Matches,
  users,
  games,
  clock,
}: {
  Matches: MatchModel;
  users: Pick<UsersApi, 'blocks'>;
  games: Pick<GamesApi, 'mode'>;
  clock: Clock;
}): CompanyOf {
  const memories = async (pools: Iterable<string>): Promise<Map<string, Memory>> => {
    const found = new Map<string, Memory>();
    for (const key of new Set(pools)) {
      const { gameId, mode } = poolOf(key);
      const known = await games.mode(gameId, mode);
      if (!known) continue;
      const { avoid, acceptance } = known.ruleSet;
      found.set(key, { ms: avoid.recentSeconds * 1000, asks: acceptance !== null });
    }
    return found;
  };

  const fields = { gameId: 1, mode: 1, players: 1, createdAt: 1 };
  /** Both by the index of players and `formedAt`: matches that stood, and those that did not come about. */
  const meetingsOf = async (userIds: readonly string[], since: Date, asks: boolean): Promise<Meeting[]> => {
    const players = { $in: [...userIds] };
    const [stood, fell] = await Promise.all([
      Matches.find({ players, formedAt: { $gte: since } }, fields).lean<Meeting[]>(),
      asks
        ? Matches.find({ players, formedAt: null, state: 'fellThrough', createdAt: { $gte: since } }, fields).lean<
            Meeting[]
          >()
        : [],
    ]);
    return [...stood, ...fell];
  };

  return async (seekers) => {
    const everybody = seekers.flatMap((one) => one.userIds);
    const [blocks, reach] = await Promise.all([users.blocks(everybody), memories(seekers.flatMap((one) => one.pools))]);
    const memoriesOf = [...reach.values()];
    const longest = Math.max(0, ...memoriesOf.map(({ ms }) => ms));
    const asks = memoriesOf.some((memory) => memory.asks);
    const now = clock.now();
    const meetings = longest > 0 ? await meetingsOf(everybody, new Date(now - longest), asks) : [];
    const byPlayer = new Map<string, { key: string; at: number; players: string[] }[]>();
    for (const { gameId, mode, players, createdAt } of meetings) {
      const ids = players.map((id: Types.ObjectId) => id.toHexString());
      const meeting = { key: poolKey(gameId.toHexString(), mode), at: createdAt.getTime(), players: ids };
      for (const id of ids) {
        const own = byPlayer.get(id);
        if (own) own.push(meeting);
        else byPlayer.set(id, [meeting]);
      }
    }
    return seekers.map(({ userIds, pools }) => {
      // most players have blocked nobody, and met nobody lately
      if (!userIds.some((id) => blocks.has(id) || byPlayer.has(id))) return NO_COMPANY;
      const met = new Map<string, Set<string>>();
      for (const { key, at, players } of userIds.flatMap((id) => byPlayer.get(id) ?? [])) {
        if (!pools.includes(key) || at < now - (reach.get(key)?.ms ?? 0)) continue;
        const others = met.get(key) ?? new Set();
        for (const player of players) if (!userIds.includes(player)) others.add(player);
        met.set(key, others);
      }
      return { blocked: new Set(userIds.flatMap((id) => [...(blocks.get(id) ?? [])])), met };
    });
  };
}
