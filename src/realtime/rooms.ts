/** Rooms are named by the server only. */
export const userRoom = (userId: string) => `user:${userId}`;
export const sessionRoom = (sessionId: string) => `session:${sessionId}`;
export const lobbyRoom = (lobbyId: string) => `lobby:${lobbyId}`;
