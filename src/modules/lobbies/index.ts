export { createLobbiesModule } from './lobbies.module';
export type { LobbiesApi, LobbyEvents, Party } from './lobbies.api';
