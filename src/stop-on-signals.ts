import type { EventEmitter } from 'node:events';

/** One Ctrl-C may arrive twice: from the terminal, and once more from the program that started this one. */
const SAME_SIGNAL_MS = 500;

/** The first SIGTERM or SIGINT stops gracefully; a later one does not wait any longer. */
export function stopOnSignals(
  source: Pick<EventEmitter, 'on'>,
  { stop, force, now = () => performance.now() }: StopActions,
): void {
  let since: number | undefined;
  const heard = (signal: string) => {
    if (since === undefined) {
      since = now();
      stop(signal);
    } else if (now() - since > SAME_SIGNAL_MS) force();
  };
  source.on('SIGTERM', heard);
  source.on('SIGINT', heard);
}

export interface StopActions {
  stop: (signal: string) => void;
  force: () => void;
  /** Milliseconds from any point in time. */
  now?: () => number;
}
