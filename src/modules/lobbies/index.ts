export { createLobbiesModule } from './lobbies.module';
export type { LobbiesApi, LobbyEvents } from './lobbies.api';
