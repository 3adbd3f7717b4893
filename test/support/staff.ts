import mongoose from 'mongoose';
import type { MaogaServer } from '../../src/server';
import { registerPlayer, type Player } from './client';
import { databaseOf } from './matchmaking';

/** A player with a role, as an operator or an admin gives it. */
export async function registerStaff(server: MaogaServer, role: 'moderator' | 'admin'): Promise<Player> {
  const player = await registerPlayer(server);
  const users = (await databaseOf(server)).collection('users');
  await users.updateOne({ _id: new mongoose.Types.ObjectId(player.userId) }, { $set: { role } });
  return player;
}
