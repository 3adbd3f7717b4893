export { createMatchmakingModule, type MatchmakingDeps } from './matchmaking.module';
export type { MatchmakingApi, MatchmakingEvents, TeamMember } from './matchmaking.api';
export { POOL_LEASES } from './leadership';
