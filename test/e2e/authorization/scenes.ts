import type { MaogaServer } from '../../../src/server';
import { registerPlayer, type Player } from '../../support/client';
import { addGame, DUEL, pulse, search } from '../../support/matchmaking';

/** The things that requests are about, each with a host, to whom it belongs or who leads it, and a member, who has a part in it. */
export interface Scene {
  host: Player;
  member: Player;
  /** Of the thing: a lobby, ticket, match or report; of the host where it is about an account. */
  id: string;
  /** Where the ticket of a party comes from. */
  lobbyId: string;
}

export type SceneName =
  'account' | 'lobby' | 'party' | 'proposal' | 'match' | 'played' | 'report' | 'friends' | 'inbox';

export interface Stage {
  server: MaogaServer;
  gameId: string;
  /** Somebody whom nothing of this is about. */
  other: Player;
}

export async function setStage(server: MaogaServer): Promise<Stage> {
  const gameId = await addGame(server, {
    duel: DUEL,
    quartet: { teams: { count: 1, size: { min: 4, max: 4 } }, backfill: true },
  });
  return { server, gameId, other: await registerPlayer(server) };
}

/** What came back, or an error that says what did not work. */
async function made(answer: Promise<{ status: number; body: { id: string } }>): Promise<string> {
  const { status, body } = await answer;
  if (status >= 300) throw new Error(`the scene was not set: ${JSON.stringify(body)}`);
  return body?.id ?? '';
}

export async function setScene(name: SceneName, { server, gameId }: Stage): Promise<Scene> {
  const [host, member] = [await registerPlayer(server), await registerPlayer(server)];
  const scene = { host, member, id: host.userId, lobbyId: '' };
  const lobby = async () => {
    const id = await made(host.post('/api/lobbies', { gameId, mode: 'quartet' }));
    await made(host.post(`/api/lobbies/${id}/invites`, { userId: member.userId }));
    await made(member.post(`/api/lobbies/${id}/join`));
    return id;
  };
  const matched = async (mode: string, game = gameId) => {
    for (const player of [host, member]) await search(player, game, mode);
    await pulse(server);
    return (await host.get('/api/matchmaking/tickets/current')).body;
  };
  const live = async () => {
    await matched('duel');
    return (await host.get('/api/matchmaking/matches')).body.items[0].id as string;
  };

  switch (name) {
    case 'account':
      return scene;
    case 'lobby':
      return { ...scene, id: await lobby() };
    case 'party': {
      const lobbyId = await lobby();
      return { ...scene, lobbyId, id: await made(host.post(`/api/lobbies/${lobbyId}/queue`, {})) };
    }
    case 'proposal': {
      // in a game of their own: whoever is left over from another scene searches on
      const game = await addGame(server, { careful: { ...DUEL, acceptance: { seconds: 60 } } });
      return { ...scene, id: (await matched('careful', game)).ticket.matchId };
    }
    case 'match':
      return { ...scene, id: await live() };
    case 'played': {
      const id = await live();
      for (const player of [host, member]) await player.post(`/api/matchmaking/matches/${id}/result`, { winner: 0 });
      return { ...scene, id };
    }
    case 'report': {
      const report = { reason: 'spam', description: 'too much of it' };
      return { ...scene, id: await made(member.post(`/api/users/${host.userId}/reports`, report)) };
    }
    case 'friends':
      await made(member.post(`/api/users/me/friends/${host.userId}`));
      return { ...scene, id: member.userId };
    case 'inbox': {
      await made(member.post(`/api/users/me/friends/${host.userId}`));
      await server.loops.get('outbox')!.tick();
      return { ...scene, id: (await host.get('/api/notifications')).body.items[0].id };
    }
  }
}
