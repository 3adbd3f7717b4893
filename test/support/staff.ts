import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from './client';
import { setRole } from './matchmaking';

/** A player with a role, as an operator or an admin gives it. */
export async function registerStaff(server: MaogaServer, role: 'moderator' | 'admin'): Promise<Player> {
  const player = await registerPlayer(server);
  await setRole(server, player, role);
  return player;
}
