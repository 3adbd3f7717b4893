export { createGamesModule, type GamesDeps } from './games.module';
export type { GameEvents, GameMode, GamesApi } from './games.api';
export type { RuleSet, Widening } from './rule-set';
