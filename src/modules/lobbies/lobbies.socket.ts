import { z } from 'zod';
import type { EventBus } from '../../core/event-bus';
import { clientEvent, type ClientEvent } from '../../realtime/client-event';
import { lobbyRoom, type Realtime } from '../../realtime/server';
import { lobbyView, messageView, type LobbyView } from '../../realtime/protocol';
import type { LobbyEvents } from './lobbies.api';
import { requireMember } from './lobbies.policy';
import { chatEvent, lobbyRef, readyEvent, typingEvent } from './lobbies.schemas';
import type { LobbiesService } from './lobbies.service';
import type { LobbyStore } from './lobbies.store';
import { toLobbyView } from './lobbies.models';
import type { MessagesService } from './messages.service';

export function lobbyEvents(deps: {
  store: LobbyStore;
  lobbies: LobbiesService;
  messages: MessagesService;
  realtime: Pick<Realtime, 'signal'>;
}): ClientEvent[] {
  const { store, lobbies, messages, realtime } = deps;
  return [
    clientEvent({
      name: 'lobby:subscribe',
      summary:
        'Hear the passing signals (typing) of a lobby I am in; answers with the lobby. Every new socket does already',
      schema: lobbyRef,
      answer: z.object({ lobby: lobbyView }),
      handler: async ({ player, join, leave }, { lobbyId }) => {
        requireMember(await store.read(lobbyId), player.userId);
        await join(lobbyRoom(lobbyId));
        // once more: whoever was removed before the join was taken out of a room that this socket was not in yet
        try {
          const lobby = await store.read(lobbyId);
          requireMember(lobby, player.userId);
          return { lobby: toLobbyView(lobby) };
        } catch (error) {
          await leave(lobbyRoom(lobbyId));
          throw error;
        }
      },
    }),
    clientEvent({
      name: 'lobby:unsubscribe',
      summary: 'No more passing signals of this lobby on this connection',
      schema: lobbyRef,
      answer: z.object({}),
      handler: async ({ leave }, { lobbyId }) => {
        await leave(lobbyRoom(lobbyId));
        return {};
      },
    }),
    clientEvent({
      name: 'lobby:ready',
      summary: 'Whether I am ready',
      schema: readyEvent,
      answer: z.object({ lobby: lobbyView }),
      handler: async ({ player }, { lobbyId, ready }) => ({
        lobby: await lobbies.ready(lobbyId, player.userId, ready),
      }),
    }),
    clientEvent({
      name: 'chat:send',
      summary: 'Say something in a lobby',
      schema: chatEvent,
      answer: z.object({ message: messageView }),
      budget: { max: 20, perSeconds: 10 },
      handler: async ({ player }, { lobbyId, content }) => ({
        message: await messages.send(lobbyId, player, content),
      }),
    }),
    clientEvent({
      name: 'chat:typing',
      summary: 'Whether I am typing; the others in the lobby are told',
      schema: typingEvent,
      answer: z.object({}),
      budget: { max: 20, perSeconds: 10 },
      handler: async ({ player: { userId } }, { lobbyId, typing }) => {
        await messages.requireVoice(lobbyId, userId);
        realtime.signal(lobbyRoom(lobbyId), 'chat:typing', { lobbyId, userId, typing }, userId);
        return {};
      },
    }),
  ];
}

/** Tells clients what happened, and moves their sockets in and out of the rooms of lobbies. */
export function tellLobbyNews(bus: EventBus<LobbyEvents>, realtime: Pick<Realtime, 'feed' | 'join' | 'leave'>): void {
  const { feed } = realtime;
  const update = (eventId: string, lobby: LobbyView) =>
    feed.tell(`${eventId}:update`, membersOf(lobby), 'lobby:update', { lobby });

  bus.on('lobby.created', async ({ eventId, payload: { tell, lobby } }) => {
    for (const userId of tell) realtime.join(userId, lobbyRoom(lobby.id));
    await feed.tell(eventId, tell, 'lobby:created', { lobby });
  });
  bus.on('lobby.updated', async ({ eventId, payload: { tell, lobby } }) => {
    await feed.tell(eventId, tell, 'lobby:update', { lobby });
  });
  bus.on('lobby.memberJoined', async ({ eventId, payload: { tell, lobby, userId, username } }) => {
    realtime.join(userId, lobbyRoom(lobby.id));
    await Promise.all([
      feed.tell(eventId, tell, 'lobby:member:joined', { lobbyId: lobby.id, userId, username }),
      update(eventId, lobby),
    ]);
  });
  bus.on('lobby.memberLeft', async ({ eventId, payload: { tell, lobby, userId } }) => {
    realtime.leave(userId, lobbyRoom(lobby.id));
    await Promise.all([
      feed.tell(eventId, tell, 'lobby:member:left', { lobbyId: lobby.id, userId }),
      update(eventId, lobby),
    ]);
  });
  bus.on('lobby.memberKicked', async ({ eventId, payload: { tell, lobby, userId } }) => {
    realtime.leave(userId, lobbyRoom(lobby.id));
    await Promise.all([
      feed.tell(eventId, tell, 'lobby:member:kicked', { lobbyId: lobby.id, userId }),
      update(eventId, lobby),
    ]);
  });
  bus.on('lobby.memberReady', async ({ eventId, payload: { tell, lobby, userId, ready } }) => {
    await Promise.all([
      feed.tell(eventId, tell, 'lobby:member:ready', { lobbyId: lobby.id, userId, ready }),
      update(eventId, lobby),
    ]);
  });
  bus.on('lobby.hostChanged', async ({ eventId, payload: { tell, lobby, hostId } }) => {
    await Promise.all([
      feed.tell(eventId, tell, 'lobby:host:changed', { lobbyId: lobby.id, hostId }),
      update(eventId, lobby),
    ]);
  });
  bus.on('lobby.closed', async ({ eventId, payload: { tell, lobby, reason } }) => {
    for (const userId of tell) realtime.leave(userId, lobbyRoom(lobby.id));
    await feed.tell(eventId, tell, 'lobby:closed', { lobbyId: lobby.id, reason });
  });
  bus.on('lobby.messageSent', async ({ eventId, payload: { tell, message } }) => {
    await feed.tell(eventId, tell, 'chat:message', { lobbyId: message.lobbyId, message });
  });
}

const membersOf = (lobby: LobbyView) => lobby.members.map((member) => member.userId);
