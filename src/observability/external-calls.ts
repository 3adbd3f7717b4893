import { SECONDS, type Metrics } from './metrics';

/** Calls to services of others (the mail server, a game catalogue): each is timed and its outcome counted. */
export interface ExternalCalls {
  /**
   * Runs `work`, and throws what it throws.
   * @param service a name that the code knows, never a host out of a configuration
   */
  measure<Result>(service: string, work: () => Promise<Result>): Promise<Result>;
}

export function measureExternalCalls(metrics: Metrics): ExternalCalls {
  const durations = metrics.histogram(
    'maoga_external_call_duration_seconds',
    'Time that calls to services of others took, by how they ended (ok, timeout, error)',
    SECONDS,
    ['service', 'outcome'],
  );
  return {
    async measure(service, work) {
      const end = durations.startTimer({ service });
      try {
        const result = await work();
        end({ outcome: 'ok' });
        return result;
      } catch (error) {
        end({ outcome: isTimeout(error) ? 'timeout' : 'error' });
        throw error;
      }
    },
  };
}

const isTimeout = (error: unknown): boolean => {
  const { name, code } = error as { name?: unknown; code?: unknown };
  return name === 'TimeoutError' || code === 'ETIMEDOUT';
};
