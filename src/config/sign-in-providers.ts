import { z } from 'zod';

/** Who else may say who somebody is: OpenID Connect providers, as `SIGN_IN_PROVIDERS` lists them. */
export interface SignInProvider {
  id: string;
  /** As people know it. */
  name: string;
  issuer: string;
  clientId: string;
  clientSecret: string;
  scopes: string;
}

/** What is the same for everybody who uses these. */
const PRESETS: Record<string, Pick<SignInProvider, 'name' | 'issuer' | 'scopes'>> = {
  google: { name: 'Google', issuer: 'https://accounts.google.com', scopes: 'openid email profile' },
  discord: { name: 'Discord', issuer: 'https://discord.com', scopes: 'openid identify email' },
};

const provider = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9-]{1,32}$/, 'must be lower-case letters, digits and hyphens'),
    name: z.string().min(1).max(50).optional(),
    issuer: z.url({ protocol: /^https?$/ }).optional(),
    clientId: z.string().min(1),
    clientSecret: z.string().min(1),
    scopes: z.string().includes('openid').optional(),
  })
  .transform((given, context): SignInProvider => {
    const preset = PRESETS[given.id];
    const issuer = given.issuer ?? preset?.issuer;
    if (issuer === undefined) {
      context.addIssue({ code: 'custom', message: `${given.id} needs an issuer` });
      return z.NEVER;
    }
    const { id, clientId, clientSecret } = given;
    return {
      id,
      clientId,
      clientSecret,
      issuer,
      name: given.name ?? preset?.name ?? id,
      scopes: given.scopes ?? preset?.scopes ?? 'openid email profile',
    };
  });

/** The text of the variable: a JSON list. */
export const providersVariable = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: 'custom', message: 'must be a JSON list' });
      return z.NEVER;
    }
  })
  .pipe(z.array(provider).max(20))
  .refine((list) => new Set(list.map(({ id }) => id)).size === list.length, 'must not name the same twice');
