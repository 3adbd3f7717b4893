import type { Clock } from '../../core/clock';
import { route, type Route } from '../../http/route';
import { idParams, listQuery, page } from '../../http/schemas';
import type { GamesApi } from '../games';
import type { AcceptanceService } from './acceptance.service';
import { explain } from './explanation';
import type { LobbyQueue } from './lobby-queue';
import type { MatchesService } from './matches.service';
import {
  changeBody,
  currentView,
  explanationView,
  fillBody,
  matchView,
  poolsQuery,
  poolView,
  queueBody,
  resultBody,
  submitBody,
  ticketView,
} from './matchmaking.schemas';
import { poolKey } from './matchmaking.policy';
import { poolViews, toPoolView } from './pool-figures';
import type { Pools } from './pools';
import type { ResultsService } from './results.service';
import type { TicketsService } from './tickets.service';
import type { Waits } from './waits';

export interface MatchmakingHandlers {
  tickets: TicketsService;
  acceptance: AcceptanceService;
  matches: MatchesService;
  results: ResultsService;
  lobbyQueue: LobbyQueue;
  pools: Pools;
  waits: Waits;
  games: Pick<GamesApi, 'mode'>;
  clock: Clock;
}

const common = { tag: 'Matchmaking', access: 'player' } as const;
const submitErrors = ['NOT_FOUND', 'ALREADY_QUEUED', 'IN_LIVE_MATCH', 'PARTY_TOO_BIG'] as const;
const hostErrors = ['NOT_HOST', 'LOBBY_CLOSED'] as const;

export function matchmakingRoutes(deps: MatchmakingHandlers): Route[] {
  return [...ticketRoutes(deps), ...lobbyQueueRoutes(deps), ...matchRoutes(deps), ...poolRoutes(deps)];
}

function ticketRoutes({ tickets, pools, waits, games, clock }: MatchmakingHandlers): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/api/matchmaking/tickets',
      summary: 'Search for people to play with',
      limit: 'submit',
      idempotent: true,
      body: submitBody,
      status: 201,
      answer: ticketView,
      errors: [...submitErrors],
      handler: ({ player, body }) => tickets.submit(player.userId, body),
    }),
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/tickets/current',
      summary: 'My open ticket, and the pools that it stands in',
      status: 200,
      answer: currentView,
      handler: async ({ player }) => {
        const ticket = await tickets.current(player.userId);
        const keys = (ticket?.games ?? []).map(({ gameId, mode }) => poolKey(gameId, mode));
        return { ticket, pools: keys.map((key) => toPoolView(key, pools, waits, clock.now())) };
      },
    }),
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/tickets/:id',
      summary: 'A ticket of mine or of my party',
      params: idParams,
      status: 200,
      answer: ticketView,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => tickets.view(player.userId, params.id),
    }),
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/tickets/:id/explanation',
      summary: 'Why it still waits: candidates, and which rule excludes how many',
      params: idParams,
      status: 200,
      answer: explanationView,
      errors: ['NOT_FOUND'],
      handler: async ({ player, params }) =>
        explain(await tickets.view(player.userId, params.id), { pools, waits, games, now: clock.now() }),
    }),
    route({
      ...common,
      method: 'patch',
      path: '/api/matchmaking/tickets/:id',
      summary: 'Change what I accept, and keep my waiting time',
      params: idParams,
      body: changeBody,
      status: 200,
      answer: ticketView,
      errors: ['NOT_FOUND', 'FORBIDDEN', 'ALREADY_MATCHED', 'TICKET_CLOSED', 'PARTY_TOO_BIG', 'CONFLICT'],
      handler: ({ player, params, body }) => tickets.change(player.userId, params.id, body),
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/matchmaking/tickets/:id',
      summary: 'Stop searching',
      params: idParams,
      status: 204,
      errors: ['NOT_FOUND', 'ALREADY_MATCHED'],
      handler: ({ player, params }) => tickets.cancel(player.userId, params.id),
    }),
  ];
}

function lobbyQueueRoutes({ lobbyQueue }: MatchmakingHandlers): Route[] {
  return [
    route({
      ...common,
      method: 'post',
      path: '/api/lobbies/:id/queue',
      summary: 'Search with everybody in my lobby, as a party',
      limit: 'submit',
      idempotent: true,
      params: idParams,
      body: queueBody,
      status: 201,
      answer: ticketView,
      errors: [...hostErrors, ...submitErrors, 'CONFLICT', 'VERSION_CONFLICT'],
      handler: ({ player, params, body }) => lobbyQueue.queue(player.userId, params.id, body),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/lobbies/:id/backfill',
      summary:
        'Search for players for the free seats of my lobby. In that of a live match what its players asked for holds, and the body counts for nothing',
      limit: 'submit',
      idempotent: true,
      params: idParams,
      body: fillBody,
      status: 201,
      answer: ticketView,
      errors: [...hostErrors, ...submitErrors, 'LOBBY_FULL', 'CONFLICT', 'VERSION_CONFLICT'],
      handler: ({ player, params, body }) => lobbyQueue.backfill(player.userId, params.id, body),
    }),
    route({
      ...common,
      method: 'delete',
      path: '/api/lobbies/:id/queue',
      summary: 'Stop the search of my lobby, for a match or for players',
      params: idParams,
      status: 204,
      errors: ['NOT_FOUND', 'ALREADY_MATCHED'],
      handler: ({ player, params }) => lobbyQueue.unqueue(player.userId, params.id),
    }),
  ];
}

function matchRoutes({ acceptance, matches, results }: MatchmakingHandlers): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/matches',
      summary: 'My matches, newest first',
      query: listQuery({}),
      status: 200,
      answer: page(matchView),
      errors: ['BAD_CURSOR'],
      handler: ({ player, query }) => matches.history(player.userId, query),
    }),
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/matches/:id',
      summary: 'A match of mine',
      params: idParams,
      status: 200,
      answer: matchView,
      errors: ['NOT_FOUND'],
      handler: ({ player, params }) => matches.view(player.userId, params.id),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/matchmaking/matches/:id/accept',
      summary: 'Accept a proposed match',
      params: idParams,
      status: 200,
      answer: matchView,
      errors: ['NOT_FOUND', 'MATCH_CLOSED'],
      handler: ({ player, params }) => acceptance.accept(player.userId, params.id),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/matchmaking/matches/:id/decline',
      summary: 'Decline a proposed match: ends my ticket, the others go on waiting',
      params: idParams,
      status: 200,
      answer: matchView,
      errors: ['NOT_FOUND', 'ALREADY_MATCHED'],
      handler: ({ player, params }) => acceptance.decline(player.userId, params.id),
    }),
    route({
      ...common,
      method: 'post',
      path: '/api/matchmaking/matches/:id/result',
      summary: 'Report how it went; counts when enough of you agree',
      params: idParams,
      body: resultBody,
      status: 200,
      answer: matchView,
      errors: ['NOT_FOUND', 'MATCH_CLOSED'],
      handler: ({ player, params, body }) => results.report(player.userId, params.id, body),
    }),
  ];
}

function poolRoutes({ pools, waits, clock }: MatchmakingHandlers): Route[] {
  return [
    route({
      ...common,
      method: 'get',
      path: '/api/matchmaking/pools',
      summary: 'Where people are searching now, and how long they waited in the last hour',
      query: poolsQuery,
      status: 200,
      answer: page(poolView),
      handler: async ({ query }) => ({ items: poolViews(query, pools, waits, clock.now()), nextCursor: null }),
    }),
  ];
}
