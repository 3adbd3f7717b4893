import type { EventEmitter } from 'node:events';
import type { Logger } from './core/logger';

/** Long enough to see what goes on; nobody has to remember to go back. */
const RAISED_MS = 15 * 60_000;

/**
 * SIGUSR2 makes a running process tell more, a second one (or time) makes it tell as much as before. It is no route: it has to
 * work when the database does not, and it is about this process, not about whichever a balancer picks.
 */
export function changeLogLevelOnSignal(source: Pick<EventEmitter, 'on'>, logger: Logger): void {
  const usual = logger.level;
  const raised = usual === 'debug' || usual === 'trace' ? 'trace' : 'debug';
  let timer: NodeJS.Timeout | undefined;

  const goBack = (why: string) => {
    clearTimeout(timer);
    timer = undefined;
    logger.warn({ from: raised, to: usual, why }, 'the log level was changed back');
    logger.level = usual;
  };
  source.on('SIGUSR2', () => {
    if (timer) return goBack('SIGUSR2');
    timer = setTimeout(() => goBack('time'), RAISED_MS).unref();
    logger.level = raised;
    logger.warn({ from: usual, to: raised, why: 'SIGUSR2', minutes: RAISED_MS / 60_000 }, 'the log level was changed');
  });
}
