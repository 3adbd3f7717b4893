import { route, type Route } from '../../http/route';
import { idParams, page } from '../../http/schemas';
import type { ProfilesService } from './profiles.service';
import type { RelationsService } from './relations.service';
import {
  blockView,
  blocksQuery,
  friendView,
  friendsQuery,
  gameParams,
  gameProfileBody,
  gameProfileView,
  ownProfile,
  preferencesChange,
  profileChange,
  publicUser,
  searchQuery,
  userCard,
  userParams,
} from './users.schemas';

/** `/me` comes before `/:id`: the first route that fits answers. */
export function userRoutes(profiles: ProfilesService, relations: RelationsService): Route[] {
  return [...ownRoutes(profiles), ...friendRoutes(relations), ...blockRoutes(relations), ...otherRoutes(profiles)];
}

const mine = { tag: 'Users', access: 'player' } as const;

function ownRoutes(profiles: ProfilesService): Route[] {
  return [
    route({
      ...mine,
      method: 'get',
      path: '/api/users/me',
      summary: 'My profile',
      status: 200,
      answer: ownProfile,
      handler: ({ player }) => profiles.own(player.userId),
    }),
    route({
      ...mine,
      method: 'patch',
      path: '/api/users/me',
      summary: 'Change my profile',
      body: profileChange,
      status: 200,
      answer: ownProfile,
      handler: ({ player, body }) => profiles.change(player.userId, body),
    }),
    route({
      ...mine,
      method: 'patch',
      path: '/api/users/me/preferences',
      summary: 'Change what my searches ask for by default',
      body: preferencesChange,
      status: 200,
      answer: ownProfile,
      handler: ({ player, body }) => profiles.changePreferences(player.userId, body),
    }),
    route({
      ...mine,
      method: 'put',
      path: '/api/users/me/game-profiles/:gameId',
      summary: 'Who I am in a game; takes the place of what was there',
      params: gameParams,
      body: gameProfileBody,
      status: 200,
      answer: gameProfileView,
      errors: ['NOT_FOUND', 'CONFLICT'],
      handler: ({ player, params, body }) => profiles.putGameProfile(player.userId, params.gameId, body),
    }),
    route({
      ...mine,
      method: 'delete',
      path: '/api/users/me/game-profiles/:gameId',
      summary: 'Remove my profile of a game',
      params: gameParams,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => profiles.removeGameProfile(player.userId, params.gameId),
    }),
  ];
}

function friendRoutes(relations: RelationsService): Route[] {
  return [
    route({
      ...mine,
      method: 'get',
      path: '/api/users/me/friends',
      summary: 'My friends and open requests, newest first',
      query: friendsQuery,
      status: 200,
      answer: page(friendView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => relations.friends(player.userId, query),
    }),
    route({
      ...mine,
      method: 'post',
      path: '/api/users/me/friends/:userId',
      summary: 'Ask somebody to be my friend, or accept that they asked me',
      limit: 'submit',
      params: userParams,
      status: 200,
      answer: friendView,
      errors: ['NOT_FOUND', 'BLOCKED', 'CONFLICT'],
      handler: ({ player, params }) => relations.befriend(player, params.userId),
    }),
    route({
      ...mine,
      method: 'delete',
      path: '/api/users/me/friends/:userId',
      summary: 'Decline a request, take mine back, or end a friendship',
      params: userParams,
      status: 204,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => relations.unfriend(player.userId, params.userId),
    }),
  ];
}

function blockRoutes(relations: RelationsService): Route[] {
  return [
    route({
      ...mine,
      method: 'get',
      path: '/api/users/me/blocks',
      summary: 'Whom I have blocked, newest first',
      query: blocksQuery,
      status: 200,
      answer: page(blockView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => relations.blocked(player.userId, query),
    }),
    route({
      ...mine,
      method: 'put',
      path: '/api/users/me/blocks/:userId',
      summary: 'Block somebody: no matches, invitations or requests between us, and neither sees the other',
      params: userParams,
      status: 204,
      errors: ['NOT_FOUND', 'CONFLICT'],
      handler: ({ player, params }) => relations.block(player.userId, params.userId),
    }),
    route({
      ...mine,
      method: 'delete',
      path: '/api/users/me/blocks/:userId',
      summary: 'Lift my block',
      params: userParams,
      status: 204,
      handler: ({ player, params }) => relations.unblock(player.userId, params.userId),
    }),
  ];
}

function otherRoutes(profiles: ProfilesService): Route[] {
  return [
    route({
      ...mine,
      method: 'get',
      path: '/api/users',
      summary: 'Find players by how a name of theirs begins, in the order of usernames',
      limit: 'search',
      query: searchQuery,
      status: 200,
      answer: page(userCard),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => profiles.search(player.userId, query),
    }),
    route({
      ...mine,
      method: 'get',
      path: '/api/users/:id',
      summary: 'Another player, as far as they show themselves to me',
      params: idParams,
      status: 200,
      answer: publicUser,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => profiles.view(player.userId, params.id),
    }),
  ];
}
