/**
 * The one table of error codes, and the one error type that carries them. A code is stable: clients branch on it.
 * Routes and socket handlers throw `AppError`; `toProblem` is the only place that decides what a client sees of an error.
 */

export const ERROR_CODES = {
  VALIDATION_FAILED: { status: 400, title: 'The request is not valid' },
  MALFORMED_JSON: { status: 400, title: 'The body is not valid JSON' },
  BAD_CURSOR: { status: 400, title: 'The cursor is not one this server gave' },
  UNAUTHENTICATED: { status: 401, title: 'A valid access token is needed' },
  TOKEN_EXPIRED: { status: 401, title: 'The token has expired' },
  BAD_CREDENTIALS: { status: 401, title: 'The identifier or the password is wrong' },
  BAD_REFRESH_TOKEN: { status: 401, title: 'The refresh token is not valid' },
  BAD_CODE: { status: 401, title: 'The code is wrong' },
  CHALLENGE_EXPIRED: { status: 401, title: 'The sign-in has to begin again' },
  REAUTHENTICATE: { status: 403, title: 'Show again that it is you' },
  FORBIDDEN: { status: 403, title: 'Not allowed' },
  ACCOUNT_SUSPENDED: { status: 403, title: 'The account is suspended' },
  ACCOUNT_BANNED: { status: 403, title: 'The account is banned' },
  NOT_FOUND: { status: 404, title: 'Not found' },
  METHOD_NOT_ALLOWED: { status: 405, title: 'The path does not take this method' },
  UNKNOWN_EVENT: { status: 404, title: 'No such event' },
  CONFLICT: { status: 409, title: 'Not possible in the current state' },
  EMAIL_TAKEN: { status: 409, title: 'The e-mail address is in use' },
  REGISTRATION_NEEDED: { status: 409, title: 'There is no account yet' },
  USERNAME_TAKEN: { status: 409, title: 'The username is in use' },
  CATALOGUE_OFF: { status: 409, title: 'No external catalogue is set up' },
  SLUG_TAKEN: { status: 409, title: 'The slug is in use' },
  VERSION_CONFLICT: { status: 409, title: 'Somebody else changed it first' },
  IDEMPOTENCY_CONFLICT: { status: 409, title: 'The idempotency key belongs to another request' },
  ALREADY_QUEUED: { status: 409, title: 'A player already has an open ticket' },
  ALREADY_MATCHED: { status: 409, title: 'The ticket has been matched' },
  TICKET_CLOSED: { status: 409, title: 'The ticket has ended' },
  IN_LIVE_MATCH: { status: 409, title: 'A player is in a live match' },
  PARTY_TOO_BIG: { status: 409, title: 'The party does not fit into a team' },
  MATCH_CLOSED: { status: 409, title: 'The match has ended' },
  LOBBY_FULL: { status: 409, title: 'The lobby is full' },
  LOBBY_CLOSED: { status: 409, title: 'The lobby is closed' },
  NOT_HOST: { status: 403, title: 'Only the host may do this' },
  BLOCKED: { status: 403, title: 'One of the two has blocked the other' },
  LINK_EXPIRED: { status: 410, title: 'The link was used or has expired' },
  PAYLOAD_TOO_LARGE: { status: 413, title: 'The body is too large' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, title: 'Send application/json' },
  RATE_LIMITED: { status: 429, title: 'Too many requests' },
  INTERNAL: { status: 500, title: 'Something went wrong on the server' },
  UNAVAILABLE: { status: 503, title: 'The service cannot answer at the moment' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** One fault in the input: where, and what to do about it. */
export interface FieldError {
  path: string;
  message: string;
}

export interface AppErrorOptions {
  cause?: unknown;
  errors?: FieldError[];
  /** Seconds after which trying again makes sense; sent as `Retry-After`. */
  retryAfter?: number;
  /** Until when it is so: an ISO time. */
  until?: string;
}

/** An expected failure. `detail` is shown to the client: it names what is wrong and what to do. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly errors: FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  readonly until: string | undefined;

  constructor(code: ErrorCode, detail: string, options: AppErrorOptions = {}) {
    super(detail, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'AppError';
    this.code = code;
    this.errors = options.errors;
    this.retryAfter = options.retryAfter;
    this.until = options.until;
  }

  get status(): number {
    return ERROR_CODES[this.code].status;
  }
}

/** RFC 9457 problem details, as contract.md words them. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: ErrorCode;
  detail: string;
  requestId?: string;
  until?: string;
  errors?: FieldError[];
}

/** What a client may know of any thrown value: an `AppError` as it is, everything else as INTERNAL without detail. */
export function toProblem(error: unknown, requestId?: string): Problem {
  const known = error instanceof AppError ? error : new AppError('INTERNAL', 'An unexpected error was logged.');
  return {
    type: `https://maoga.dev/errors/${known.code.toLowerCase().replaceAll('_', '-')}`,
    title: ERROR_CODES[known.code].title,
    status: known.status,
    code: known.code,
    detail: known.message,
    ...(requestId === undefined ? {} : { requestId }),
    ...(known.until === undefined ? {} : { until: known.until }),
    ...(known.errors === undefined ? {} : { errors: known.errors }),
  };
}

export const notFound = (what: string): AppError =>
  new AppError('NOT_FOUND', `There is no such ${what}, or it is not yours to know of.`);
