export { createLobbiesModule } from './lobbies.module';
export type { LobbiesApi, LobbyEvents, LobbyOfMatch, Party } from './lobbies.api';
