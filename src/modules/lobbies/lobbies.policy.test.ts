import fc from 'fast-check';
import { AppError } from '../../core/errors';
import * as policy from './lobbies.policy';
import type { Change, Lobby, LobbyState } from './lobbies.policy';

const NOW = 1_000_000;
const NOBODY: ReadonlySet<string> = new Set();
const person = (userId: string) => ({ userId, username: `name-${userId}` });

function lobbyOf(over: Partial<Lobby> = {}, users: string[] = ['host', 'guest']): Lobby {
  return {
    id: 'l',
    gameId: 'g',
    mode: 'm',
    state: 'forming',
    origin: 'player',
    matchId: null,
    visibility: 'public',
    capacity: 4,
    hostId: users[0] ?? 'host',
    members: users.map((userId) => ({ ...person(userId), ready: false, joinedAt: 0 })),
    invited: [],
    removed: [],
    version: 7,
    createdAt: 0,
    updatedAt: 0,
    lastActivityAt: 0,
    startsAt: null,
    closedAt: null,
    ...over,
  };
}

const allReady = (lobby: Lobby): Lobby => ({
  ...lobby,
  members: lobby.members.map((member) => ({ ...member, ready: true })),
});
const readyLobby = (over: Partial<Lobby> = {}) => allReady(lobbyOf({ state: 'ready', ...over }));

/** The code of what `wish` throws, or what became of the lobby. */
function outcome(wish: () => Change | null): string {
  try {
    const change = wish();
    return change ? change.lobby.state : 'unchanged';
  } catch (error) {
    return (error as AppError).code;
  }
}

describe('who may do what, in which state', () => {
  const wishes: Record<string, (lobby: Lobby, userId: string) => Change | null> = {
    join: (lobby, userId) => policy.join(lobby, person(userId), NOBODY, NOW),
    leave: (lobby, userId) => policy.leave(lobby, userId, NOW),
    ready: (lobby, userId) => policy.setReady(lobby, userId, true, NOW),
    kick: (lobby, userId) => policy.kick(lobby, userId, 'guest', NOW),
    host: (lobby, userId) => policy.transferHost(lobby, userId, 'guest', NOW),
    configure: (lobby, userId) => policy.configure(lobby, userId, { capacity: 3 }, NOW),
    start: (lobby, userId) => policy.start(lobby, userId, NOW),
    close: (lobby, userId) => policy.close(lobby, userId, 'x', NOW),
    invite: (lobby, userId) => policy.invite(lobby, userId, 'new', NOW),
  };
  const states: Record<LobbyState, Lobby> = {
    forming: lobbyOf({ invited: ['invited'], visibility: 'private' }),
    ready: readyLobby({ invited: ['invited'], visibility: 'private' }),
    active: { ...readyLobby({ invited: ['invited'], visibility: 'private' }), state: 'active' },
    closed: lobbyOf({ state: 'closed', invited: ['invited'], visibility: 'private' }),
  };

  test.each(Object.keys(wishes))('a stranger does not even learn of the lobby: %s', (wish) => {
    for (const lobby of Object.values(states))
      expect(outcome(() => wishes[wish]!(lobby, 'stranger'))).toBe('NOT_FOUND');
  });

  test.each([
    // wish, who, forming, ready, active, closed
    ['join', 'invited', 'forming', 'forming', 'CONFLICT', 'LOBBY_CLOSED'],
    ['join', 'guest', 'unchanged', 'unchanged', 'unchanged', 'LOBBY_CLOSED'],
    ['leave', 'guest', 'forming', 'forming', 'active', 'LOBBY_CLOSED'],
    ['leave', 'invited', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ['ready', 'guest', 'forming', 'unchanged', 'unchanged', 'LOBBY_CLOSED'],
    ['ready', 'invited', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN', 'FORBIDDEN'],
    ['kick', 'host', 'forming', 'forming', 'CONFLICT', 'LOBBY_CLOSED'],
    ['kick', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
    ['host', 'host', 'forming', 'ready', 'active', 'LOBBY_CLOSED'],
    ['host', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
    ['configure', 'host', 'forming', 'ready', 'CONFLICT', 'LOBBY_CLOSED'],
    ['configure', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
    ['start', 'host', 'CONFLICT', 'active', 'unchanged', 'LOBBY_CLOSED'],
    ['start', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
    ['close', 'host', 'closed', 'closed', 'closed', 'unchanged'],
    ['close', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
    ['invite', 'host', 'forming', 'ready', 'CONFLICT', 'LOBBY_CLOSED'],
    ['invite', 'guest', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST', 'NOT_HOST'],
  ])('%s by %s', (wish, who, ...expected) => {
    const order: LobbyState[] = ['forming', 'ready', 'active', 'closed'];
    expect(order.map((state) => outcome(() => wishes[wish]!(states[state], who)))).toEqual(expected);
  });
});

describe('a lobby that found players', () => {
  const adopt = (lobby: Lobby, present = ['host', 'guest']) =>
    policy.adopt(lobby, 'match', present, [person('new')], NOW);

  test('belongs to the match from here on: who plays is in it, and nobody else can come', () => {
    const { lobby, news } = adopt(readyLobby({ invited: ['friend'] }));
    expect(lobby).toMatchObject({ origin: 'match', matchId: 'match', state: 'forming', visibility: 'private' });
    expect(lobby.members.map(({ userId }) => userId)).toEqual(['host', 'guest', 'new']);
    expect(news).toEqual([{ type: 'lobby.memberJoined', ...person('new') }]);
    for (const userId of ['friend', 'stranger'])
      expect(outcome(() => policy.join(lobby, person(userId), NOBODY, NOW))).toBe('NOT_FOUND');
  });

  test('is left alone where it plays already, is closed, or others are in it than the search has seen', () => {
    expect(outcome(() => adopt(lobbyOf({ state: 'active' })))).toBe('CONFLICT');
    expect(outcome(() => adopt(lobbyOf({ state: 'closed' })))).toBe('LOBBY_CLOSED');
    expect(outcome(() => adopt(lobbyOf(), ['host', 'gone']))).toBe('CONFLICT');
    expect(outcome(() => adopt(lobbyOf(), ['host']))).toBe('CONFLICT');
  });
});

describe('joining', () => {
  test.each([
    ['a public lobby', lobbyOf(), 'forming'],
    ['a full one', lobbyOf({ capacity: 2 }), 'LOBBY_FULL'],
    ['a private one without an invitation', lobbyOf({ visibility: 'private' }), 'NOT_FOUND'],
    ['a public one that plays', lobbyOf({ state: 'active' }), 'NOT_FOUND'],
    ['a lobby of a match', lobbyOf({ origin: 'match', matchId: 'x' }), 'NOT_FOUND'],
    ['one that I was kicked from', lobbyOf({ removed: ['me'] }), 'FORBIDDEN'],
    ['one that I was kicked from and invited to again', lobbyOf({ removed: ['me'], invited: ['me'] }), 'forming'],
  ])('%s', (_what, lobby, expected) => {
    expect(outcome(() => policy.join(lobby, person('me'), NOBODY, NOW))).toBe(expected);
  });

  test('is refused where somebody there has a block with me', () => {
    expect(outcome(() => policy.join(lobbyOf(), person('me'), new Set(['guest']), NOW))).toBe('BLOCKED');
    expect(outcome(() => policy.join(lobbyOf(), person('me'), new Set(['elsewhere']), NOW))).toBe('forming');
  });

  test('uses the invitation up, and takes a ready lobby back to forming', () => {
    const change = policy.join(readyLobby({ invited: ['me'] }), person('me'), NOBODY, NOW);
    expect(change?.lobby).toMatchObject({ state: 'forming', invited: [] });
    expect(change?.news).toEqual([{ type: 'lobby.memberJoined', userId: 'me', username: 'name-me' }]);
  });
});

describe('getting ready', () => {
  test('the last one ready makes the lobby ready; a match lobby then starts by itself', () => {
    const last = (origin: Lobby['origin']) => {
      const lobby = lobbyOf({ origin });
      lobby.members[0]!.ready = true;
      return policy.setReady(lobby, 'guest', true, NOW)?.lobby;
    };
    expect(last('player')).toMatchObject({ state: 'ready', startsAt: null });
    expect(last('match')).toMatchObject({ state: 'ready', startsAt: NOW + policy.START_AFTER_MS });
  });

  test('one person alone is never a ready lobby', () => {
    expect(policy.setReady(lobbyOf({}, ['host']), 'host', true, NOW)?.lobby.state).toBe('forming');
  });

  test('somebody not ready any more takes it back, and the start with it', () => {
    const lobby = readyLobby({ origin: 'match', startsAt: NOW + 1 });
    expect(policy.setReady(lobby, 'guest', false, NOW)?.lobby).toMatchObject({ state: 'forming', startsAt: null });
  });

  test('the one who was not ready leaves: the rest is', () => {
    const lobby = allReady(lobbyOf({}, ['host', 'guest', 'slow']));
    lobby.members[2]!.ready = false;
    expect(policy.leave(lobby, 'slow', NOW).lobby.state).toBe('ready');
  });
});

describe('leaving', () => {
  test('the host leaves: the one who has been there longest hosts', () => {
    const change = policy.leave(lobbyOf({}, ['host', 'second', 'third']), 'host', NOW);
    expect(change.lobby.hostId).toBe('second');
    expect(change.news.map((news) => news.type)).toEqual(['lobby.memberLeft', 'lobby.hostChanged']);
  });

  test('the last one leaves: the lobby closes', () => {
    const change = policy.leave(lobbyOf({}, ['host']), 'host', NOW);
    expect(change.lobby).toMatchObject({ state: 'closed', members: [], closedAt: NOW });
    expect(change.news.map((news) => news.type)).toEqual(['lobby.memberLeft', 'lobby.closed']);
  });
});

describe('hosting', () => {
  test.each([
    ['fewer seats than people', { capacity: 1 }, 'CONFLICT'],
    ['as many seats as people', { capacity: 2 }, 'forming'],
    ['what it is already', { capacity: 4, visibility: 'public' as const }, 'unchanged'],
    ['private', { visibility: 'private' as const }, 'forming'],
  ])('configures %s', (_what, wanted, expected) => {
    expect(outcome(() => policy.configure(lobbyOf(), 'host', wanted, NOW))).toBe(expected);
  });

  test('the seats of a match lobby stay as they are, and nobody is invited into it', () => {
    const lobby = lobbyOf({ origin: 'match' });
    expect(outcome(() => policy.configure(lobby, 'host', { capacity: 4 }, NOW))).toBe('CONFLICT');
    expect(outcome(() => policy.invite(lobby, 'host', 'friend', NOW))).toBe('CONFLICT');
  });

  test('cannot kick oneself, nor somebody who is not there', () => {
    expect(outcome(() => policy.kick(lobbyOf(), 'host', 'host', NOW))).toBe('CONFLICT');
    expect(outcome(() => policy.kick(lobbyOf(), 'host', 'other', NOW))).toBe('NOT_FOUND');
  });

  test('invitations have an end', () => {
    const invited = Array.from({ length: policy.MAX_INVITED }, (_, i) => `u${i}`);
    expect(outcome(() => policy.invite(lobbyOf({ invited }), 'host', 'one more', NOW))).toBe('CONFLICT');
  });
});

describe('whatever people do, in whatever order', () => {
  const user = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
  const step = fc.record({
    wish: fc.constantFrom('join', 'leave', 'ready', 'unready', 'kick', 'host', 'configure', 'start', 'close', 'invite'),
    by: user,
    other: user,
    size: fc.integer({ min: 2, max: 6 }),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

  const perform = (lobby: Lobby, { wish, by, other, size }: Step, now: number): Change | null => {
    switch (wish) {
      case 'join':
        return policy.join(lobby, person(by), NOBODY, now);
      case 'leave':
        return policy.leave(lobby, by, now);
      case 'ready':
      case 'unready':
        return policy.setReady(lobby, by, wish === 'ready', now);
      case 'kick':
        return policy.kick(lobby, by, other, now);
      case 'host':
        return policy.transferHost(lobby, by, other, now);
      case 'configure':
        return policy.configure(lobby, by, { capacity: size }, now);
      case 'start':
        return policy.start(lobby, by, now);
      case 'close':
        return policy.close(lobby, by, 'x', now);
      default:
        return policy.invite(lobby, by, other, now);
    }
  };

  test('a lobby stays whole, moves only along its transitions, and counts every change', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 60 }),
        fc.constantFrom('match' as const, 'player' as const),
        (steps, origin) => {
          let lobby = lobbyOf({ origin, capacity: 3 }, ['a', 'b']);
          steps.forEach((each, i) => {
            const before = lobby;
            let change: Change | null = null;
            try {
              change = perform(lobby, each, NOW + i);
            } catch (error) {
              if (!(error instanceof AppError)) throw error;
            }
            if (!change) return;
            lobby = change.lobby;
            const ids = lobby.members.map((member) => member.userId);
            expect(ids.length).toBeLessThanOrEqual(lobby.capacity);
            expect(new Set(ids).size).toBe(ids.length);
            if (lobby.state !== 'closed') expect(ids).toContain(lobby.hostId);
            if (lobby.state === 'ready') expect(ids.length).toBeGreaterThanOrEqual(policy.MIN_TO_START);
            if (lobby.state === 'ready') expect(lobby.members.every((member) => member.ready)).toBe(true);
            if (lobby.state === 'forming')
              expect(ids.length < policy.MIN_TO_START || !lobby.members.every((member) => member.ready)).toBe(true);
            expect(lobby.startsAt !== null).toBe(lobby.state === 'ready' && origin === 'match');
            expect(lobby.closedAt !== null).toBe(lobby.state === 'closed');
            expect(lobby.version).toBe(before.version + 1);
            if (lobby.state !== before.state) expect(policy.TRANSITIONS[before.state]).toContain(lobby.state);
            expect(change.news.length).toBeGreaterThan(0);
            expect(lobby.invited.filter((id) => ids.includes(id))).toEqual([]);
          });
        },
      ),
      { numRuns: 500 },
    );
  });
});
