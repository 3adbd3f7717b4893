export { createMatchmakingModule, type MatchmakingDeps } from './matchmaking.module';
export type { MatchmakingApi, MatchmakingEvents, TeamMember } from './matchmaking.api';
