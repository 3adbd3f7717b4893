export { createGamesModule, type GamesDeps } from './games.module';
export { PLATFORMS } from './games.schemas';
export type { GameEvents, GameMode, GamesApi } from './games.api';
export type { RuleSet, Widening } from './rule-set';
