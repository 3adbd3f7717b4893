import type { ExtendedError, Socket } from 'socket.io';
import { z } from 'zod';
import { AppError, toProblem } from '../core/errors';
import { asUnavailable } from '../database/transaction';
import type { Identity } from '../http/route';
import type { Budgets } from './budgets';
import type { Doorstep } from './doorstep';

/** What is known of a socket: whose it is, and until when its access token lets it stay. */
export interface SocketData {
  player: Identity;
  /** Milliseconds since the epoch; null where the token names no end. */
  expiresAt: number | null;
}

/** Lets a token in. @throws UNAUTHENTICATED, TOKEN_EXPIRED, ACCOUNT_SUSPENDED, ACCOUNT_BANNED */
export type Admission = (token: string) => Promise<SocketData>;

export function createAdmission(authenticate: (token: string) => Promise<Identity>): Admission {
  return async (token) => ({ player: await authenticate(token), expiresAt: expiryOf(token) });
}

const handshake = z.object({ token: z.string().min(1).max(4096) });

/** New connections, as data: how often one player may connect, and one address may be refused. */
export const CONNECTING = {
  ofOnePlayer: { max: 60, perSeconds: 60 },
  refusedFromOneAddress: { max: 120, perSeconds: 60 },
} as const;
/** Of one player on one instance: more devices than anybody has. */
export const MAX_SOCKETS = 32;

/** What is counted at the handshake. */
export interface Turnstile {
  budgets: Budgets;
  doorstep: Doorstep;
  addressOf: (socket: Socket) => string;
}

/**
 * The middleware of the handshake: a refused client gets `connect_error` in the words of a problem document, and does not
 * come back by itself. Where the fault is ours the connection is closed instead, so that the client tries again.
 * @param turnstile none: rate limits are off
 */
export function admitAtHandshake(admit: Admission, turnstile?: Turnstile) {
  const seats = createSeats();
  /** Connections on which somebody is being let in, or was. */
  const taken = new WeakSet<Socket['conn']>();

  const check = async (socket: Socket) => {
    const parsed = handshake.safeParse(socket.handshake.auth);
    if (!parsed.success) throw new AppError('UNAUTHENTICATED', 'Connect with `auth: {token: <access token>}`.');
    turnstile?.doorstep.leave(socket.conn);
    const admitted = await admit(parsed.data.token);
    if (turnstile) {
      turnstile.budgets.spend(admitted.player.userId, 'connections', CONNECTING.ofOnePlayer);
      seats.take(admitted.player.userId, socket.conn);
    }
    Object.assign(socket.data as SocketData, admitted);
  };

  /** A refusal costs the address; whoever comes with a good token is not held up by those who do not. */
  const priced = (socket: Socket, error: unknown): unknown => {
    if (!turnstile || !(error instanceof AppError) || error.code !== 'UNAUTHENTICATED') return error;
    try {
      const address = turnstile.addressOf(socket);
      turnstile.budgets.spend(address, 'refused connections', CONNECTING.refusedFromOneAddress);
      return error;
    } catch (limited) {
      return limited;
    }
  };

  return (socket: Socket, next: (error?: ExtendedError) => void): void => {
    // no client of ours asks again before it is answered: the sockets of one connection would be counted as one
    if (taken.has(socket.conn)) return socket.conn.close();
    taken.add(socket.conn);
    check(socket).then(
      () => next(),
      (thrown: unknown) => {
        // with another token they may ask again
        taken.delete(socket.conn);
        turnstile?.doorstep.back(socket.conn);
        const { code, detail, status, until } = toProblem(asUnavailable(priced(socket, thrown)));
        if (status >= 500) socket.conn.close();
        else next(Object.assign(new Error(detail), { data: { code, message: detail, ...(until ? { until } : {}) } }));
      },
    );
  };
}

/** The open connections of each player, from the moment that they are let in. */
function createSeats() {
  const taken = new Map<string, number>();
  const leave = (userId: string) => {
    const left = (taken.get(userId) ?? 0) - 1;
    if (left > 0) taken.set(userId, left);
    else taken.delete(userId);
  };
  return {
    /** @throws RATE_LIMITED */
    take(userId: string, connection: Socket['conn']): void {
      const open = taken.get(userId) ?? 0;
      if (open >= MAX_SOCKETS)
        throw new AppError('RATE_LIMITED', `You have ${MAX_SOCKETS} connections already: close one first.`);
      // it may have gone while its token was looked at
      if (connection.readyState !== 'open') return;
      taken.set(userId, open + 1);
      connection.once('close', () => leave(userId));
    },
  };
}

/**
 * Asks once more: for a socket that stands in its rooms by now, since a session that ended just before was ended for rooms that
 * this socket was not in yet; and now and then for those that stay. @returns why it may not stay, or nothing
 */
export async function lateRefusal(admit: Admission, socket: Socket): Promise<string | undefined> {
  try {
    await admit((socket.handshake.auth as { token: string }).token);
    return undefined;
  } catch (error) {
    if (!(error instanceof AppError) || error.status >= 500) throw error;
    // a token that has just run out may still be replaced by `auth:refresh`
    return error.code === 'TOKEN_EXPIRED' ? undefined : error.message;
  }
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
