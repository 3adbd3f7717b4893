export { createUsersModule, type UsersDeps } from './users.module';
export type { Account, Preferences, UserEvents, UsersApi, UserSummary } from './users.api';
