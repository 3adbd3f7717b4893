import type { ExtendedError, Socket } from 'socket.io';
import { z } from 'zod';
import { AppError, toProblem } from '../core/errors';
import { asUnavailable } from '../database/transaction';
import type { Identity } from '../http/route';

/** What is known of a socket: whose it is, and until when its access token lets it stay. */
export interface SocketData {
  player: Identity;
  /** Milliseconds since the epoch; null where the token names no end. */
  expiresAt: number | null;
}

/** Lets a token in. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED */
export type Admission = (token: string) => Promise<SocketData>;

export function createAdmission(authenticate: (token: string) => Promise<Identity>): Admission {
  return async (token) => ({ player: await authenticate(token), expiresAt: expiryOf(token) });
}

const handshake = z.object({ token: z.string().min(1).max(4096) });

/** The middleware of the handshake: a refused client gets `connect_error` in the words of a problem document. */
export function admitAtHandshake(admit: Admission) {
  return (socket: Socket, next: (error?: ExtendedError) => void): void => {
    const check = async () => {
      const parsed = handshake.safeParse(socket.handshake.auth);
      if (!parsed.success) throw new AppError('UNAUTHENTICATED', 'Connect with `auth: {token: <access token>}`.');
      Object.assign(socket.data as SocketData, await admit(parsed.data.token));
    };
    check().then(
      () => next(),
      (error: unknown) => {
        const { code, detail } = toProblem(asUnavailable(error));
        next(Object.assign(new Error(detail), { data: { code, message: detail } }));
      },
    );
  };
}

/** `exp` of a token whose signature has been checked just before. */
function expiryOf(token: string): number | null {
  try {
    const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown };
    return typeof claims.exp === 'number' ? claims.exp * 1000 : null;
  } catch {
    return null;
  }
}
