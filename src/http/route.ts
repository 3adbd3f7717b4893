import type { Response } from 'express';
import type { z, ZodType } from 'zod';
import type { LimitName } from '../config/schema';
import type { ErrorCode } from '../core/errors';

/**
 * A route as data. One definition validates, authorises, limits, documents (OpenAPI) and is counted by the
 * authorization tests; a handler gets parsed input and returns the body. Handlers hold no rule: they call a service.
 */

/** Who is asking, as the access token and the account say. */
export interface Identity {
  userId: string;
  username: string;
  role: 'player' | 'moderator' | 'admin';
  sessionId: string;
}

/** `anyone` needs no token, `player` any account; a moderator may what a player may, and an admin everything. */
export type Access = 'anyone' | Identity['role'];

/** Which budget a request draws on: see rate-limits.ts for the numbers. */
export type LimitClass = LimitName | 'none';

export interface RouteInput<Params, Query, Body> {
  params: Params;
  query: Query;
  body: Body;
  /** Undefined only where access is `anyone`. */
  player: Identity;
  ip: string;
  userAgent: string;
  requestId: string;
}

export interface RouteSpec<
  Params extends ZodType,
  Query extends ZodType,
  Body extends ZodType,
  Answer extends ZodType,
> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Express path, from the root: `/api/games/:idOrSlug`. */
  path: string;
  summary: string;
  tag: string;
  access: Access;
  limit?: LimitClass;
  /** Whose account this is an attempt on, where nobody is signed in: attempts are counted by it too. */
  account?(body: z.output<Body>): string;
  /** A POST that creates: accepts `Idempotency-Key`. */
  idempotent?: boolean;
  params?: Params;
  query?: Query;
  body?: Body;
  /** 302 sends a browser to the `location` of the answer. */
  status: 200 | 201 | 202 | 204 | 302;
  /** Schema of the answer: documents it, and lists what may go out (unknown keys are stripped). */
  answer?: Answer;
  /** Codes of its own, besides those every route can give. */
  errors?: ErrorCode[];
  handler(input: RouteInput<z.output<Params>, z.output<Query>, z.output<Body>>): Promise<z.input<Answer> | void>;
}

/** A route of unknown shapes, as the registry holds it. */
export interface Route extends Omit<RouteSpec<ZodType, ZodType, ZodType, ZodType>, 'handler' | 'account'> {
  account?(body: unknown): string;
  handler(input: RouteInput<unknown, unknown, unknown>): Promise<unknown>;
}

export function route<Params extends ZodType, Query extends ZodType, Body extends ZodType, Answer extends ZodType>(
  spec: RouteSpec<Params, Query, Body, Answer>,
): Route {
  return spec;
}

/** What earlier middleware knows of a request. */
export interface Locals {
  requestId: string;
  player?: Identity;
  /** Whose account is tried, where nobody is signed in. */
  account?: string;
  /** Set once it has been parsed. */
  input?: RouteInput<unknown, unknown, unknown>;
}

export type AppResponse = Response<unknown, Locals & Record<string, unknown>>;
