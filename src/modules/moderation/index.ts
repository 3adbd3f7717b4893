export { createModerationModule, type ModerationDeps } from './moderation.module';
