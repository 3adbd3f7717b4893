import { readArguments } from './arguments';

describe('readArguments', () => {
  it('takes a file to record the searches into, and needs none', () => {
    expect(readArguments(['--record', 'ticks.ndjson'])).toEqual({ MATCHMAKING_RECORD: 'ticks.ndjson' });
    expect(readArguments([])).toEqual({});
  });

  it.each([[['--port', '80']], [['--record']], [['ticks.ndjson']]])('refuses %j, and says what it takes', (args) => {
    expect(() => readArguments(args)).toThrow(/The server takes --record <file>/);
  });
});
