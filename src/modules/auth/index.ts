export { createAuthModule, type AuthDeps } from './auth.module';
export type { AuthApi } from './auth.api';
