import type { Wishes } from '../../demo/cast';
import { createLedger, type Ledger } from '../../demo/ledger';

/** The demo is only worth something if its books notice what does not add up. */

const ANYTHING: Wishes = {
  games: [],
  regions: [],
  regionPreference: 'any',
  languages: [],
  languagePreference: 'any',
};
const teams = [[{ userId: 'ann', role: null }], [{ userId: 'bob', role: null }]];
const MATCH = { matchId: 'm1', lobbyId: 'l1', teams };

/** Ann and Bob with a ticket each; nobody has been told anything yet. */
function twoSearching(wishes: Partial<Record<'ann' | 'bob', Partial<Wishes>>> = {}): Ledger {
  const ledger = createLedger();
  for (const name of ['ann', 'bob'] as const)
    ledger.promised({ ticketId: `t-${name}`, userIds: [name], wishes: { ...ANYTHING, ...wishes[name] }, at: 0 });
  return ledger;
}

const tell = (ledger: Ledger, userId: string, name: string, payload: object = {}) =>
  ledger.heard(userId, { name, payload: { ticketId: `t-${userId}`, ...payload } });
const matched = (ledger: Ledger, userId: string, payload: object = {}) =>
  tell(ledger, userId, 'matchmaking:matched', { ...MATCH, ...payload });

function bothMatched(ledger = twoSearching()): Ledger {
  matched(ledger, 'ann');
  matched(ledger, 'bob');
  return ledger;
}

test('a match of which both are told, twice even, is in order', async () => {
  const ledger = bothMatched(bothMatched());
  expect(await ledger.endOf('t-ann', 'ann')).toMatchObject({ kind: 'matched', lobbyId: 'l1' });
  expect(ledger.audit()).toEqual([]);
});

test('what was told while a player was away is no missing fact: the greeting counts', async () => {
  const ledger = twoSearching();
  const ends = Promise.all([ledger.endOf('t-ann', 'ann'), ledger.endOf('t-ann', 'ann')]);
  tell(ledger, 'ann', 'lobby:created', { seq: 1 });
  ledger.dropped('ann');
  // told on the new connection, a moment before its greeting
  tell(ledger, 'ann', 'lobby:update', { seq: 5 });
  ledger.greeted('ann', { seq: 4 });
  matched(ledger, 'ann', { seq: 6 });
  matched(ledger, 'bob');
  expect(ledger.audit()).toEqual([]);
  // however many wait for it, all of them hear of an end
  expect((await ends).map(({ kind }) => kind)).toEqual(['matched', 'matched']);
});

test('whoever hears a fact knows whether some before it are missing; one that is told again is none of them', () => {
  const ledger = twoSearching();
  ledger.greeted('ann', { seq: 3 });
  const complete = [4, 4, 6, 5, 7, 9].map((seq) => tell(ledger, 'ann', 'lobby:update', { seq }));
  expect(complete).toEqual([true, true, false, true, true, false]);
});

test('a match of a search whose answer was lost is known from the news', () => {
  const ledger = createLedger();
  expect(ledger.unpromised('ann')).toBeNull();
  matched(ledger, 'ann');
  expect(ledger.unpromised('ann')).toBe('t-ann');
  ledger.promised({ ticketId: 't-ann', userIds: ['ann'], wishes: ANYTHING, at: 0 });
  expect(ledger.unpromised('ann')).toBeNull();
});

test('so are a cancelled and an expired search', () => {
  const ledger = twoSearching();
  ledger.cancelled('t-ann');
  tell(ledger, 'ann', 'matchmaking:cancelled', { reason: 'cancelled_by_player' });
  tell(ledger, 'bob', 'matchmaking:expired');
  expect(ledger.audit()).toEqual([]);
});

test.each<[string, () => Ledger, string]>([
  ['a ticket without an end', () => twoSearching(), 'never ended'],
  [
    'a member who was never told',
    () => {
      const ledger = twoSearching();
      matched(ledger, 'ann');
      tell(ledger, 'bob', 'matchmaking:expired');
      return ledger;
    },
    'never told of match m1',
  ],
  [
    'a match with two lobbies',
    () => {
      const ledger = twoSearching();
      matched(ledger, 'ann');
      matched(ledger, 'bob', { lobbyId: 'l2' });
      return ledger;
    },
    'two lobbies',
  ],
  [
    'different teams',
    () => {
      const ledger = twoSearching();
      matched(ledger, 'ann');
      matched(ledger, 'bob', { teams: [...teams].reverse() });
      return ledger;
    },
    'different teams',
  ],
  [
    'a lobby of two matches',
    () => {
      const ledger = bothMatched();
      ledger.released('ann', 'm1');
      tell(ledger, 'ann', 'matchmaking:matched', { ...MATCH, ticketId: 't-new', matchId: 'm2' });
      return ledger;
    },
    'belongs to the matches m1 and m2',
  ],
  [
    'two live matches',
    () => {
      const ledger = bothMatched();
      tell(ledger, 'ann', 'matchmaking:matched', { ...MATCH, ticketId: 't-new', matchId: 'm2', lobbyId: 'l2' });
      return ledger;
    },
    'two live matches: m1 and m2',
  ],
  [
    'two matches of one ticket',
    () => {
      const ledger = bothMatched();
      tell(ledger, 'bob', 'matchmaking:matched', { ...MATCH, matchId: 'm2', lobbyId: 'l2' });
      return ledger;
    },
    'ended in match m1, and then in match m2',
  ],
  [
    'two ends of one ticket',
    () => {
      const ledger = bothMatched();
      tell(ledger, 'bob', 'matchmaking:expired');
      return ledger;
    },
    'ended as matched, and then as expired',
  ],
  [
    'a match after an answered cancel',
    () => {
      const ledger = bothMatched();
      ledger.cancelled('t-ann');
      return ledger;
    },
    'although its cancel was answered',
  ],
  [
    'a stranger in the match',
    () => {
      const ledger = twoSearching();
      const strange = [[{ userId: 'ann', role: null }], [{ userId: 'eve', role: null }]];
      matched(ledger, 'ann', { teams: strange });
      tell(ledger, 'bob', 'matchmaking:expired');
      return ledger;
    },
    'not made of whole tickets',
  ],
  [
    'a region that was excluded',
    () => bothMatched(twoSearching({ ann: { regions: ['EU'], regionPreference: 'strict' }, bob: { regions: ['NA'] } })),
    'regions that another one excluded',
  ],
  [
    'no language in common',
    () =>
      bothMatched(
        twoSearching({ ann: { languages: ['pt-BR'], languagePreference: 'strict' }, bob: { languages: ['en'] } }),
      ),
    'a language that another one insisted on',
  ],
  [
    'a meeting in spite of a block',
    () => {
      const ledger = bothMatched();
      ledger.blocked('bob', 'ann');
      return ledger;
    },
    'had blocked',
  ],
])('%s is noticed', (_what, play, said) => {
  expect(play().audit().join('\n')).toContain(said);
});
