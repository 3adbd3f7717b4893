export { calibrationOf, calibrationText } from './calibration';
export { createMatchmakingModule, type MatchmakingDeps } from './matchmaking.module';
export { openRecording } from './recording/recording-file';
export type { MatchmakingApi, MatchmakingEvents, TeamMember } from './matchmaking.api';
export { POOL_LEASES } from './leadership';
