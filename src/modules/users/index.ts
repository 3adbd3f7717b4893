export { createAccounts } from './accounts.service';
export { createUserModel } from './users.models';
export { createUsersModule, type UsersDeps } from './users.module';
export { accountFields, ownProfile, type OwnProfile } from './users.schemas';
export type { Account, Credentials, Person, Preferences, UserEvents, UsersApi, UserSummary } from './users.api';
