export { createAccounts } from './accounts.service';
export { createUserModel } from './users.models';
export { createUsersModule, type UsersDeps } from './users.module';
export { accountFields, ownProfile, userCard, type OwnProfile, type UserCard } from './users.schemas';
export { requireGoodStanding } from './users.policy';
export type {
  Account,
  Credentials,
  FileSearch,
  NewBar,
  Person,
  Preferences,
  Role,
  UserEvents,
  UserFile,
  UsersApi,
  UserSummary,
} from './users.api';
