import type { Clock } from '../../core/clock';
import type { GameMode } from './games.api';
import { toGameModes, type GameModel, type GameRow } from './games.models';

/**
 * Modes as matchmaking asks for them, many times a second: read once per game and kept for a moment.
 *
 * Right although others write, by three means. The instance that takes an admin's change forgets the game at once. The
 * instance to which the outbox gives `game.changed` forgets it then. Everywhere else what is kept ends after
 * `MODE_TTL_MS`: that bound alone is the guarantee, and needs neither Redis nor the event. Unknown games are not kept, so that
 * requests for made-up ids take no memory.
 */
export interface ModeCache {
  mode(gameId: string, modeKey: string): Promise<GameMode | null>;
  forget(gameId: string): void;
}

export const MODE_TTL_MS = 2000;

interface Entry {
  until: number;
  /** Shared by those who ask while it is being read. */
  modes: Promise<ReadonlyMap<string, GameMode> | null>;
}

export function createModeCache({ Games, clock }: { Games: GameModel; clock: Clock }): ModeCache {
  const entries = new Map<string, Entry>();

  const read = async (gameId: string) => {
    const game = await Games.findById(gameId, { slug: 1, name: 1, modes: 1 }).lean<GameRow>();
    return game && new Map(toGameModes(game).map((mode) => [mode.key, mode]));
  };

  const load = (gameId: string): Entry => {
    const entry: Entry = { until: clock.now() + MODE_TTL_MS, modes: read(gameId) };
    entries.set(gameId, entry);
    // what was forgotten meanwhile has been replaced by a newer entry, which stays
    const drop = () => {
      if (entries.get(gameId) === entry) entries.delete(gameId);
    };
    entry.modes.then((modes) => modes ?? drop(), drop);
    return entry;
  };

  return {
    async mode(gameId, modeKey) {
      const known = entries.get(gameId);
      const { modes } = known && known.until > clock.now() ? known : load(gameId);
      return (await modes)?.get(modeKey) ?? null;
    },
    forget: (gameId) => void entries.delete(gameId),
  };
}
