import { traceOf } from './trace';

const arrivalsOf = (text: string, pool?: string) => [...traceOf(text, 'trace.ndjson', pool).arrivals()];

describe('a trace', () => {
  it('is one ticket a line, in any order, with defaults for all but the time and the players', () => {
    const [early, late] = arrivalsOf(
      '{"at": 9.5, "players": [{}]}\n\n{"at": 3, "players": [{"mu": 30, "skill": 33}]}\n',
    );
    expect(early).toMatchObject({ ticket: { id: 'line 3', waitingSince: 3000 }, skills: [33], patienceMs: Infinity });
    expect(late).toMatchObject({ ticket: { id: 'line 1', waitingSince: 9500 }, skills: [25], leavesForGood: false });
    expect(late?.ticket.players).toEqual([{ userId: 'line 1.0', mu: 25, sigma: 25 / 3, roles: [] }]);
  });

  it('may give times as dates', () => {
    const [arrival] = arrivalsOf('{"at": "2026-03-01T18:30:00+01:00", "players": [{}]}');
    expect(arrival?.ticket.waitingSince).toBe(Date.UTC(2026, 2, 1, 17, 30));
  });

  it('may be a recording of the engine, of which it takes the tickets of one pool, each as it first came', () => {
    const add = (key: string, id: string, waitingSince: number) =>
      JSON.stringify({
        op: 'add',
        key,
        ticket: { id, waitingSince, players: [{ userId: id, mu: 20, sigma: 3, roles: [] }], weight: 5, blocked: ['x'] },
      });
    const lines = [
      `{"op": "pool", "key": "a", "ruleSet": {}}`,
      add('a', 'one', 1000),
      add('b', 'two', 2000),
      `{"op": "pass"}`,
      add('a', 'one', 1000),
    ];
    const recorded = lines.join('\n');
    const [arrival, ...others] = arrivalsOf(recorded, 'a');
    expect(others).toEqual([]);
    expect(arrival?.ticket).toMatchObject({ id: 'one', waitingSince: 1000, players: [{ userId: 'one', mu: 20 }] });
    expect(arrival?.ticket.blocked).toEqual(new Set(['x']));
    expect(() => arrivalsOf(recorded)).toThrow('several pools; choose one by --pool: a, b');
    expect(() => arrivalsOf(recorded, 'c')).toThrow('no tickets in the pool "c"; it has a, b');
  });

  it.each([
    ['', 'holds no tickets'],
    ['{"at": 1, "players": [{}]}\n{at: 2}', 'line 2: not JSON'],
    ['{"players": [{}]}', 'line 1:\n  at: must be seconds (a number) or an ISO date'],
    ['{"at": 1, "players": []}', 'line 1:\n  players:'],
    ['{"at": 1, "players": [{"mu": "good"}]}', 'players.0.mu:'],
    ['{"at": 1, "players": [{}], "regions": ["MARS"]}', 'regions.0:'],
    ['{"at": 1, "players": [{}], "wait": 3}', '"wait"'],
    ['{"at": 1, "id": "x", "players": [{}]}\n{"at": 2, "id": "x", "players": [{}]}', 'line 2: there is a ticket "x"'],
    ['5', 'line 1:'],
  ])('names what is wrong with %j', (text, fault) => {
    expect(() => arrivalsOf(text)).toThrow(fault);
  });
});
