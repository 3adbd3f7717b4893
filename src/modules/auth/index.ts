export { createAuthModule, type AuthDeps } from './auth.module';
export { currentPassword, newPassword } from './password-rules';
export type { AuthApi } from './auth.api';
