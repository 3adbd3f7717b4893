import { createSecretKey, type KeyObject } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Config } from '../../config/config';
import type { Clock } from '../../core/clock';
import { AppError } from '../../core/errors';
import { objectId } from '../../http/schemas';

/**
 * Access tokens: JWTs by which a request shows whose it is, without a password and for a few minutes. Everything that a
 * token could choose for itself is pinned: algorithm, type, issuer, audience, an end, and a key out of a fixed map. During a
 * rotation the map holds two keys; new tokens are signed with the current one.
 */
export interface AccessTokens {
  issue(claims: Claims): string;
  /** What a token claims, after every check but that of the session. @throws UNAUTHENTICATED, TOKEN_EXPIRED */
  verify(token: string): Claims;
}

export interface Claims {
  userId: string;
  sessionId: string;
}

export const ALGORITHM = 'HS256';
/** RFC 9068 */
export const TYPE = 'at+jwt';
export const ISSUER = 'maoga';
export const AUDIENCE = 'maoga-api';

/** Tokens that were found good are not taken apart again: an app shows the same one for minutes, with every request. */
const MOST_REMEMBERED = 20_000;

const payloadSchema = z.object({ sub: objectId, sid: objectId, iat: z.number(), exp: z.number() });

type AccessTokenConfig = Pick<Config['auth'], 'keys' | 'accessTokenSeconds'>;

export function createAccessTokens({ keys, accessTokenSeconds }: AccessTokenConfig, clock: Clock): AccessTokens {
  // a KeyObject is made once: with the secret as a string every check costs fifty times as much
  const keyOf = (secret: string): KeyObject => createSecretKey(Buffer.from(secret));
  const currentKey = keyOf(keys.current.secret);
  const byId = new Map([[keys.current.id, currentKey]]);
  if (keys.previous) byId.set(keys.previous.id, keyOf(keys.previous.secret));
  const header = { alg: ALGORITHM, typ: TYPE, kid: keys.current.id } as const;
  const seconds = () => Math.floor(clock.now() / 1000);

  const good = new LRUCache<string, { claims: Claims; exp: number }>({ max: MOST_REMEMBERED });

  const takeApart = (token: string): { claims: Claims; exp: number } => {
    const key = byId.get(jwt.decode(token, { complete: true })?.header.kid ?? '');
    if (!key) throw invalid();
    const verified = jwt.verify(token, key, {
      algorithms: [ALGORITHM],
      issuer: ISSUER,
      audience: AUDIENCE,
      clockTimestamp: seconds(),
      complete: true,
    });
    if (verified.header.typ !== TYPE) throw invalid();
    const { sub, sid, exp } = payloadSchema.parse(verified.payload);
    return { claims: { userId: sub, sessionId: sid }, exp };
  };

  return {
    issue({ userId, sessionId }) {
      const iat = seconds();
      const payload = { sub: userId, sid: sessionId, iat, exp: iat + accessTokenSeconds };
      return jwt.sign(payload, currentKey, { algorithm: ALGORITHM, header, issuer: ISSUER, audience: AUDIENCE });
    },

    verify(token) {
      const known = good.get(token);
      if (known && seconds() < known.exp) return known.claims;
      try {
        const found = takeApart(token);
        good.set(token, found);
        return found.claims;
      } catch (error) {
        good.delete(token);
        if (error instanceof jwt.TokenExpiredError)
          throw new AppError('TOKEN_EXPIRED', 'The access token has expired: refresh it.');
        throw error instanceof AppError ? error : invalid();
      }
    },
  };
}

const invalid = () => new AppError('UNAUTHENTICATED', 'Send an access token of this server.');
