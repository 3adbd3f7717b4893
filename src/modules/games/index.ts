export { createGamesModule, type GamesDeps } from './games.module';
export { PLATFORMS } from './games.schemas';
export type { GameEvents, GameMode, GamesApi } from './games.api';
export { ruleSetSchema, type RuleSet, type Widening } from './rule-set';
export { shippedGames } from './seed';
