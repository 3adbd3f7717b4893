import { ruleSetSchema } from '../games/rule-set';
import { Engine } from './engine';
import type { TicketModel } from './matchmaking.models';
import { createPools } from './pools';
import type { WaitingRow } from './waiting';

const POOL = '65000000000000000000000a:duo';
const ruleSet = ruleSetSchema.parse({ teams: { count: 1, size: { min: 2, max: 2 } } });
const mode = { gameId: '', gameName: '', gameSlug: '', key: 'duo', name: '', version: 1, ruleSet };
const id = (i: number) => i.toString(16).padStart(24, '0');

const waiting = (i: number, revision = 1): WaitingRow => ({
  _id: id(i),
  players: [id(i + 1000)],
  lobbyId: null,
  backfill: null,
  pools: [POOL],
  games: [{ weight: 5, skills: [{ mu: 25, sigma: 5 }] }],
  groupSize: null,
  regions: [],
  regionPreference: 'any',
  languages: ['en'],
  languagePreference: 'any',
  skillPreference: 'any',
  roles: [],
  latencies: {},
  revision,
  queuedAt: new Date(0),
  createdAt: new Date(0),
});

/** @param asked told of whose company is asked for */
function poolsThatTell(asked: (firstUser: string) => Promise<void> | void) {
  return createPools({
    engine: new Engine(1),
    Tickets: {} as TicketModel,
    companyOf: async (seekers) => {
      await asked(seekers[0]?.userIds[0] ?? '');
      return seekers.map(() => ({ blocked: new Set<string>(), met: new Map() }));
    },
    games: { mode: () => Promise.resolve(mode) },
  });
}

async function* inTurn(...batches: (WaitingRow[] | Error)[]) {
  for (const batch of batches) {
    if (batch instanceof Error) throw batch;
    yield await Promise.resolve(batch);
  }
}

describe('many tickets that are taken in', () => {
  test('all wait, once each', async () => {
    const pools = poolsThatTell(() => undefined);
    await pools.putAll(inTurn([waiting(1), waiting(2)], [], [waiting(2), waiting(3)]));
    expect([...pools.all()].map((ticket) => ticket.id)).toEqual([id(1), id(2), id(3)]);
    expect(pools.figures(POOL)).toEqual({ depth: 3, players: 3 });
  });

  test('do not put back what somebody has changed meanwhile', async () => {
    const pools = poolsThatTell(async (user) => {
      if (user === id(1001)) await pools.putAll(inTurn([waiting(2, 7)]));
    });
    await pools.putAll(inTurn([waiting(1), waiting(2)], [waiting(2, 3)]));
    expect(pools.get(id(2))?.revision).toBe(7);
    expect(pools.figures(POOL).depth).toBe(2);
  });

  test('are asked about while those before them are', async () => {
    let answer = () => {};
    const pools = poolsThatTell((user) => {
      if (user === id(1002)) answer();
      return user === id(1001) ? new Promise((resolve) => (answer = resolve)) : undefined;
    });
    await pools.putAll(inTurn([waiting(1)], [waiting(2)]));
    expect(pools.figures(POOL).depth).toBe(2);
  });

  test('wait as far as they came, where the rest cannot be read', async () => {
    const pools = poolsThatTell(() => undefined);
    await expect(pools.putAll(inTurn([waiting(1)], [waiting(2)], new Error('gone')))).rejects.toThrow('gone');
    expect(pools.get(id(1))).toBeDefined();
  });

  test('fail where whom they know cannot be told', async () => {
    const pools = poolsThatTell((user) => (user === id(1002) ? Promise.reject(new Error('gone')) : undefined));
    await expect(pools.putAll(inTurn([waiting(1)], [waiting(2)], [waiting(3)]))).rejects.toThrow('gone');
  });
});
