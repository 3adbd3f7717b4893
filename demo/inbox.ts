import type { Heard } from './player';

/** What one player knows of the lobbies they are in, from what they heard. */
export interface LobbySeen {
  state: 'forming' | 'ready' | 'active' | 'closed';
  hostId: string | null;
  /** Who has said something. */
  speakers: Set<string>;
}

export interface Inbox {
  heard(event: Heard): void;
  lobby(lobbyId: string): LobbySeen;
  /** Lobbies that have not closed, as far as they know. */
  open(): string[];
  /** True as soon as it holds, looked at again after everything heard; false where it does not within `ms`. */
  until(holds: () => boolean, ms: number): Promise<boolean>;
}

export function createInbox(): Inbox {
  const lobbies = new Map<string, LobbySeen>();
  const checks = new Set<() => void>();

  const lobby = (lobbyId: string): LobbySeen => {
    const known = lobbies.get(lobbyId) ?? { state: 'forming', hostId: null, speakers: new Set() };
    lobbies.set(lobbyId, known);
    return known;
  };

  return {
    lobby,
    open: () => [...lobbies].filter(([, { state }]) => state !== 'closed').map(([lobbyId]) => lobbyId),
    heard({ name, payload }) {
      if (name === 'lobby:created' || name === 'lobby:update') {
        const seen = lobby(payload.lobby.id);
        if (seen.state !== 'closed') seen.state = payload.lobby.state;
        seen.hostId = payload.lobby.hostId;
      }
      if (name === 'lobby:closed') lobby(payload.lobbyId).state = 'closed';
      if (name === 'chat:message' && payload.message.userId)
        lobby(payload.lobbyId).speakers.add(payload.message.userId);
      for (const check of checks) check();
    },
    until: (holds, ms) =>
      new Promise((resolve) => {
        const settle = (held: boolean) => {
          clearTimeout(late);
          checks.delete(check);
          resolve(held);
        };
        const check = () => {
          if (holds()) settle(true);
        };
        const late = setTimeout(() => settle(false), ms);
        checks.add(check);
        check();
      }),
  };
}
