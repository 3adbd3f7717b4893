import { setTimeout as delay } from 'node:timers/promises';
import {
  BrokenCircuitError,
  CircuitState,
  circuitBreaker,
  ConsecutiveBreaker,
  DelegateBackoff,
  handleWhen,
  retry,
  wrap,
} from 'cockatiel';
import { createBounded } from '../../../../core/bounded';
import type { Clock } from '../../../../core/clock';
import { AppError } from '../../../../core/errors';
import type { Logger } from '../../../../core/logger';
import type { Random } from '../../../../core/random';
import type { Metrics } from '../../../../observability/metrics';
import type { SharedMemory } from '../../../../redis/shared-memory';
import { ExternalCatalogueError, type ExternalFault } from '../external-catalogue';
import { createIgdbToken } from './igdb-token';
import { readJson } from './read-json';

/**
 * Asks IGDB, and bears what a server somewhere else does to those who depend on it:
 *
 * - four requests a second over all instances (by turns in Redis; per instance without one), at most eight open here;
 * - each attempt has a time-out; no connection, a cut one, 429, 5xx and answers that are no JSON are tried again, with pauses
 *   that double and differ, or as `Retry-After` says; where that asks for more than a moment, the caller is told instead;
 * - a refused token is replaced once;
 * - after five failures in a row it is left alone for half a minute, then tried with one request (a circuit breaker).
 */
export interface IgdbClient {
  /** @param path such as `games` @param query in Apicalypse @throws ExternalCatalogueError */
  ask(path: string, query: string, signal: AbortSignal): Promise<unknown>;
}

export interface IgdbSettings {
  clientId: string;
  clientSecret: string;
  /** https://api.igdb.com/v4, or a proxy of it. */
  apiUrl: string;
  tokenUrl: string;
}

export interface IgdbClientDeps {
  settings: IgdbSettings;
  memory: Pick<SharedMemory, 'turn'>;
  metrics: Pick<Metrics, 'histogram' | 'gauge'>;
  clock: Clock;
  logger: Logger;
  random?: Random;
  /** For tests: what is a matter of seconds in life. */
  times?: Partial<Times>;
}

interface Times {
  /** One attempt, with the token if it needs one. */
  attemptMs: number;
  /** The first pause; doubles. */
  pauseMs: number;
  /** A longer `Retry-After` is for the caller to wait. */
  longestPauseMs: number;
  turnMs: number;
}

const TIMES: Times = { attemptMs: 8_000, pauseMs: 300, longestPauseMs: 2_000, turnMs: 260 };
const RETRIES = 3;
const OPEN_AT_ONCE = 8;
const IN_LINE = 50;
const FAILURES_TO_BREAK = 5;
export const BROKEN_FOR_MS = 30_000;

export function createIgdbClient(deps: IgdbClientDeps): IgdbClient {
  const { settings, memory, metrics, clock, logger, random = Math.random } = deps;
  const times = { ...TIMES, ...deps.times };
  const token = createIgdbToken({ ...settings, clock });
  const bounded = createBounded({ atOnce: OPEN_AT_ONCE, waiting: IN_LINE });
  const lineUp = createBounded({ atOnce: 1, waiting: OPEN_AT_ONCE });
  const durations = metrics.histogram(
    'maoga_external_catalogue_request_duration_seconds',
    'Time of each request to the external game catalogue, by how it ended',
    [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    ['outcome'],
  );

  const breaker = circuitBreaker(handleWhen(isFault('away')), {
    breaker: new ConsecutiveBreaker(FAILURES_TO_BREAK),
    halfOpenAfter: BROKEN_FOR_MS,
  });
  breaker.onBreak(() => logger.warn('the external game catalogue is away: it is left alone for a while'));
  breaker.onReset(() => logger.info('the external game catalogue is back'));
  metrics.gauge(
    'maoga_external_catalogue_broken',
    'Whether the external game catalogue is left alone after failures',
    () => (breaker.state === CircuitState.Closed ? 0 : 1),
  );
  const again = retry(
    handleWhen((error) => isFault('away', 'limited')(error) && pauseOf(error) <= times.longestPauseMs),
    {
      maxAttempts: RETRIES,
      backoff: new DelegateBackoff(({ attempt, result }) => {
        const wished = 'error' in result ? pauseOf(result.error) : 0;
        const doubled = Math.min(times.pauseMs * 2 ** (attempt - 1), times.longestPauseMs);
        // at least half of it, so that those who failed together do not come back together
        return Math.max(wished, (doubled * (1 + random())) / 2);
      }),
    },
  );
  const policy = wrap(again, breaker);

  /** All instances share what IGDB allows, so nobody sends before their turn. */
  const waitForTurn = (signal: AbortSignal) =>
    lineUp(async () => {
      for (let wait = await memory.turn('igdb', times.turnMs); wait > 0; wait = await memory.turn('igdb', times.turnMs))
        await delay(wait, undefined, { signal });
    });

  const send = async (path: string, query: string, bearer: string, signal: AbortSignal) => {
    await waitForTurn(signal);
    const observe = durations.startTimer();
    try {
      const answer = await readJson(`${settings.apiUrl}/${path}`, {
        method: 'POST',
        headers: { 'client-id': settings.clientId, authorization: `Bearer ${bearer}`, accept: 'application/json' },
        body: query,
        signal: AbortSignal.any([signal, AbortSignal.timeout(times.attemptMs)]),
      });
      observe({ outcome: answer.status === 200 ? 'ok' : 'refused' });
      return answer;
    } catch (error) {
      observe({ outcome: error instanceof ExternalCatalogueError ? error.fault : 'away' });
      throw error;
    }
  };

  const attempt = async (path: string, query: string, signal: AbortSignal): Promise<unknown> => {
    // tokens have no turns: Twitch counts them apart
    const fetchToken = () => token.get(AbortSignal.any([signal, AbortSignal.timeout(times.attemptMs)]));
    let bearer = await fetchToken();
    let answer = await send(path, query, bearer, signal);
    if (answer.status === 401) {
      token.forget(bearer);
      bearer = await fetchToken();
      answer = await send(path, query, bearer, signal);
    }
    if (answer.status === 200) return answer.json;
    throw new ExternalCatalogueError('refused', `IGDB refuses the request (${answer.status})`);
  };

  return {
    async ask(path, query, signal) {
      try {
        return await bounded(() => policy.execute(() => attempt(path, query, signal), signal));
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof BrokenCircuitError)
          throw new ExternalCatalogueError('away', 'is left alone after failures', {
            retryAfterMs: BROKEN_FOR_MS,
            cause: error,
          });
        // the line is too long
        if (error instanceof AppError) throw new ExternalCatalogueError('limited', error.message, { cause: error });
        throw error;
      }
    },
  };
}

const isFault =
  (...faults: ExternalFault[]) =>
  (error: unknown): boolean =>
    error instanceof ExternalCatalogueError && faults.includes(error.fault);

const pauseOf = (error: unknown): number => (error instanceof ExternalCatalogueError ? (error.retryAfterMs ?? 0) : 0);
