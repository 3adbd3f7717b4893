import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { promisify } from 'node:util';
import { FROM_SOURCE } from '../test/support/command';
import { createLogger, type Logger } from './core/logger';
import { changeLogLevelOnSignal } from './log-level-on-signal';

describe('SIGUSR2', () => {
  let lines: Record<string, unknown>[];
  let logger: Logger;
  let signals: EventEmitter;
  const begin = (level: string) => {
    lines = [];
    logger = createLogger({ level, pretty: false }, { write: (line) => void lines.push(JSON.parse(line)) });
    signals = new EventEmitter();
    changeLogLevelOnSignal(signals, logger);
  };
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  test('shows debug lines until the next one, and says so both times', () => {
    begin('info');
    logger.debug('unseen');
    signals.emit('SIGUSR2');
    logger.debug('seen');
    signals.emit('SIGUSR2');
    logger.debug('unseen again');
    expect(lines).toEqual([
      expect.objectContaining({ msg: 'the log level was changed', from: 'info', to: 'debug', minutes: 15 }),
      expect.objectContaining({ msg: 'seen' }),
      expect.objectContaining({ msg: 'the log level was changed back', to: 'info', why: 'SIGUSR2' }),
    ]);
  });

  test('goes back by itself after 15 minutes, and may come again', () => {
    begin('error');
    signals.emit('SIGUSR2');
    jest.advanceTimersByTime(15 * 60_000 - 1);
    expect(logger.level).toBe('debug');
    jest.advanceTimersByTime(1);
    expect([logger.level, lines.at(-1)]).toEqual(['error', expect.objectContaining({ why: 'time' })]);
    signals.emit('SIGUSR2');
    expect(logger.level).toBe('debug');
  });

  test('shows trace lines where debug is usual', () => {
    begin('debug');
    signals.emit('SIGUSR2');
    expect(logger.level).toBe('trace');
  });
});

test('a real signal changes a real process, and does not keep it from ending', async () => {
  const script = `const { createLogger } = require('./src/core/logger.ts');
    const logger = createLogger({ level: 'info', pretty: false });
    require('./src/log-level-on-signal.ts').changeLogLevelOnSignal(process, logger);
    process.kill(process.pid, 'SIGUSR2');
    const wait = setInterval(() => logger.level === 'debug' && clearInterval(wait), 10);`;
  const { stdout } = await promisify(execFile)(process.execPath, [...FROM_SOURCE, '--eval', script]);
  expect(JSON.parse(stdout)).toMatchObject({ level: 'warn', msg: 'the log level was changed', to: 'debug' });
});
