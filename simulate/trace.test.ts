import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { ruleSetSchema } from '../src/modules/games/rule-set';
import { Engine } from '../src/modules/matchmaking/engine';
import { NOW, ticket } from '../src/modules/matchmaking/engine/testing/tickets';
import { openRecording } from '../src/modules/matchmaking/recording/recording-file';
import { recordedEngine } from '../src/modules/matchmaking/recording/recorder';
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

  it('may be what the server records, of which it knows who gave up, and when', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'trace-'));
    const file = join(folder, 'recording.ndjson');
    const recording = openRecording({ file, maxBytes: 1e6 }, pino({ level: 'silent' }));
    const engine = recordedEngine(new Engine(1), recording, { seed: 1, at: NOW });
    engine.setPool('duel', ruleSetSchema.parse({ teams: { count: 2, size: { min: 1, max: 1 } } }));
    for (const id of ['ann', 'bob', 'eve']) engine.add('duel', ticket(id, { regions: id === 'eve' ? ['SA'] : ['EU'] }));
    expect([...engine.pass(NOW + 1000, new Set(['duel']))].filter((match) => match !== null)).toHaveLength(1);
    for (const id of ['ann', 'bob']) engine.remove(id);
    expect([...engine.pass(NOW + 9000, new Set(['duel']))].filter((match) => match !== null)).toEqual([]);
    engine.remove('eve');
    await recording.stop();
    const arrivals = arrivalsOf(readFileSync(file, 'utf8'));
    rmSync(folder, { recursive: true });
    expect(arrivals.map(({ ticket: { id }, patienceMs }) => [id, patienceMs])).toEqual([
      ['ann', Infinity],
      ['bob', Infinity],
      ['eve', 9000],
    ]);
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
