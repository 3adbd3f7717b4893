import type { Configuration } from 'openid-client';
import type { SignInProvider } from '../../../config/sign-in-providers';
import { AppError, notFound } from '../../../core/errors';

/** Talking to OpenID Connect providers: authorization code, PKCE, state and nonce, all by `openid-client`. */
export interface ProviderClients {
  list(): { id: string; name: string }[];
  nameOf(id: string): string;
  /** Where to send a browser, and what to check its way back by. @throws NOT_FOUND, UNAVAILABLE */
  begin(id: string): Promise<{ url: string; state: string; nonce: string; verifier: string }>;
  /** Whom the provider's answer names. @throws ProviderRefused, or UNAVAILABLE */
  finish(id: string, answer: Record<string, string>, checks: Checks): Promise<Claimed>;
}

export interface Checks {
  state: string;
  nonce: string;
  verifier: string;
}

/** What a provider says of somebody. */
export interface Claimed {
  subject: string;
  email: string | null;
  emailVerified: boolean;
  name: string | null;
}

/** The provider, or whoever asked it, did not agree; or what it said does not hold. */
export class ProviderRefused extends Error {
  override name = 'ProviderRefused';
}

const TIMEOUT_SECONDS = 5;
const MAX_CLAIM = 254;

export function createProviderClients(
  providers: readonly SignInProvider[],
  callbackUrl: (id: string) => string,
): ProviderClients {
  const configurations = new Map<string, Promise<Configuration>>();

  const providerOf = (id: string): SignInProvider => {
    const provider = providers.find((candidate) => candidate.id === id);
    if (!provider) throw notFound('sign-in provider');
    return provider;
  };

  const discover = async ({ issuer, clientId, clientSecret }: SignInProvider): Promise<Configuration> => {
    const oidc = await import('openid-client');
    const server = new URL(issuer);
    return oidc.discovery(server, clientId, clientSecret, undefined, {
      timeout: TIMEOUT_SECONDS,
      // production has no such issuers: see config.ts
      execute: server.protocol === 'http:' ? [oidc.allowInsecureRequests] : [],
    });
  };

  /** Asked for once; again after a failure. */
  const configurationOf = async (provider: SignInProvider): Promise<Configuration> => {
    const known = configurations.get(provider.id) ?? discover(provider);
    configurations.set(provider.id, known);
    try {
      return await known;
    } catch (cause) {
      configurations.delete(provider.id);
      throw new AppError('UNAVAILABLE', `${provider.name} cannot be reached at the moment.`, { retryAfter: 5, cause });
    }
  };

  const claimsOf = async (configuration: Configuration, answer: URL, { state, nonce, verifier }: Checks) => {
    const oidc = await import('openid-client');
    const tokens = await oidc.authorizationCodeGrant(configuration, answer, {
      pkceCodeVerifier: verifier,
      expectedState: state,
      expectedNonce: nonce,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (!claims) throw new ProviderRefused('there is no ID token');
    if (claims['email'] !== undefined || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    return { ...claims, ...(await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub)) };
  };

  return {
    list: () => providers.map(({ id, name }) => ({ id, name })),
    nameOf: (id) => providers.find((candidate) => candidate.id === id)?.name ?? id,

    async begin(id) {
      const provider = providerOf(id);
      const configuration = await configurationOf(provider);
      const oidc = await import('openid-client');
      const [state, nonce, verifier] = [oidc.randomState(), oidc.randomNonce(), oidc.randomPKCECodeVerifier()];
      const url = oidc.buildAuthorizationUrl(configuration, {
        redirect_uri: callbackUrl(id),
        scope: provider.scopes,
        state,
        nonce,
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
      });
      return { url: url.href, state, nonce, verifier };
    },

    async finish(id, answer, checks) {
      const configuration = await configurationOf(providerOf(id));
      const url = new URL(callbackUrl(id));
      for (const [name, value] of Object.entries(answer)) url.searchParams.set(name, value);
      try {
        return toClaimed(await claimsOf(configuration, url, checks));
      } catch (cause) {
        throw new ProviderRefused(`${id} did not vouch for anybody`, { cause });
      }
    },
  };
}

function toClaimed(claims: Record<string, unknown>): Claimed {
  const text = (claim: unknown) =>
    typeof claim === 'string' && claim !== '' && claim.length <= MAX_CLAIM ? claim : null;
  const subject = text(claims['sub']);
  if (subject === null) throw new ProviderRefused('there is no subject');
  const email = text(claims['email']);
  return {
    subject,
    email,
    // `true` alone: a text or a missing claim vouches for nothing
    emailVerified: email !== null && claims['email_verified'] === true,
    name: text(claims['name']) ?? text(claims['preferred_username']),
  };
}
