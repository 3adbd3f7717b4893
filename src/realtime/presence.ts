/** Who is online on this instance: counts sockets per user and tells when the first comes or the last goes. */
export interface Presence {
  arrived(userId: string): void;
  left(userId: string): void;
  status(userId: string): 'online' | 'offline';
}

export function createPresence(changed: (userId: string, status: 'online' | 'offline') => void): Presence {
  const sockets = new Map<string, number>();
  return {
    arrived(userId) {
      const count = (sockets.get(userId) ?? 0) + 1;
      sockets.set(userId, count);
      if (count === 1) changed(userId, 'online');
    },
    left(userId) {
      const count = (sockets.get(userId) ?? 0) - 1;
      if (count > 0) return void sockets.set(userId, count);
      if (sockets.delete(userId)) changed(userId, 'offline');
    },
    status: (userId) => (sockets.has(userId) ? 'online' : 'offline'),
  };
}
