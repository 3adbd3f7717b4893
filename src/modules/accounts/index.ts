export { createAccountsModule, type AccountsDeps } from './accounts.module';
