export { createAuthModule, type AuthDeps } from './auth.module';
export { currentPassword, newPassword } from './password-rules';
export { renewSeals, type Renewal } from './second-factor/renew-seals';
export type { AuthApi } from './auth.api';
