import { EventEmitter } from 'node:events';
import { stopOnSignals } from './stop-on-signals';

describe('signals', () => {
  let time: number;
  let done: string[];
  let signals: EventEmitter;
  beforeEach(() => {
    time = 0;
    done = [];
    signals = new EventEmitter();
    const stop = (signal: string) => void done.push(signal);
    stopOnSignals(signals, { stop, force: () => void done.push('forced'), now: () => time });
  });

  test.each(['SIGTERM', 'SIGINT'])('%s stops', (signal) => {
    signals.emit(signal, signal);
    expect(done).toEqual([signal]);
  });

  test('one Ctrl-C that arrives twice stops once, and is not taken for impatience', () => {
    signals.emit('SIGINT', 'SIGINT');
    time = 50;
    signals.emit('SIGINT', 'SIGINT');
    expect(done).toEqual(['SIGINT']);
  });

  test('a second one, of either kind, forces', () => {
    signals.emit('SIGTERM', 'SIGTERM');
    time = 1_000;
    signals.emit('SIGINT', 'SIGINT');
    expect(done).toEqual(['SIGTERM', 'forced']);
  });
});
