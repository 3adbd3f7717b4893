import type { LobbyView } from '../../realtime/protocol';
import {
  channelsOf,
  DEFAULT_CHANNELS,
  DRAFTS,
  NOTIFICATION_TYPES,
  settingsOf,
  type Draft,
  type NotifyingEvents,
} from './notifications.policy';

const lobby = { id: 'l1', gameId: 'g1', mode: 'duo', hostId: 'host', members: [] } as unknown as LobbyView;
const tickets = [
  { ticketId: 't1', userIds: ['a', 'b'] },
  { ticketId: 't2', userIds: ['c'] },
];

const facts: { [Type in keyof typeof DRAFTS]: NotifyingEvents[Type] } = {
  'user.warned': { userId: 'b', reason: 'do not insult people' },
  'user.friendRequested': { fromId: 'a', fromUsername: 'Ann', toId: 'b' },
  'user.friendAccepted': { byId: 'b', byUsername: 'Ben', toId: 'a' },
  'lobby.invited': { lobbyId: 'l1', gameId: 'g1', mode: 'duo', userId: 'b', byId: 'a', byUsername: 'Ann' },
  'lobby.memberKicked': { tell: ['host', 'a', 'b'], lobby, userId: 'b' },
  'lobby.hostChanged': { tell: ['host', 'a'], lobby, hostId: 'host' },
  'lobby.closed': { tell: ['host', 'a', 'b'], lobby, reason: 'nothing happened for a while' },
  'match.proposed': { matchId: 'm1', gameId: 'g1', mode: 'duo', acceptBy: '2026-01-01T00:00:30.000Z', tickets },
  'match.formed': {
    matchId: 'm1',
    lobbyId: 'l1',
    gameId: 'g1',
    gameName: 'Rocket League',
    mode: 'duo',
    quality: 1,
    teams: [],
    tickets,
  },
  'match.fellThrough': { matchId: 'm1', requeued: tickets.slice(1) },
  'match.completed': { matchId: 'm1', gameId: 'g1', mode: 'duo', userIds: ['a', 'b', 'c'] },
  'ticket.expired': { ticketId: 't1', userIds: ['a', 'b'], gameNames: ['Dota 2', 'Chess'] },
};

const draftOf = (type: keyof typeof DRAFTS): Draft => (DRAFTS[type] as (payload: object) => Draft)(facts[type]);

test.each([
  ['user.warned', 'warned', ['b'], 'A moderator warns you: do not insult people', {}],
  ['user.friendRequested', 'friendRequested', ['b'], 'Ann would like to be your friend.', { userId: 'a' }],
  ['user.friendAccepted', 'friendAccepted', ['a'], 'Ben accepted your friend request.', { userId: 'b' }],
  [
    'lobby.invited',
    'lobbyInvited',
    ['b'],
    'Ann invites you to a lobby.',
    { lobbyId: 'l1', gameId: 'g1', mode: 'duo', userId: 'a' },
  ],
  ['lobby.memberKicked', 'lobbyKicked', ['b'], 'The host removed you from the lobby.', { lobbyId: 'l1' }],
  ['lobby.hostChanged', 'lobbyHost', ['host'], 'The lobby is yours to lead now.', { lobbyId: 'l1' }],
  ['lobby.closed', 'lobbyClosed', ['a', 'b'], 'The lobby was closed: nothing happened for a while.', { lobbyId: 'l1' }],
  [
    'match.proposed',
    'matchProposed',
    ['a', 'b', 'c'],
    'Accept it in time to play.',
    { matchId: 'm1', gameId: 'g1', mode: 'duo', acceptBy: '2026-01-01T00:00:30.000Z' },
  ],
  [
    'match.formed',
    'matchFormed',
    ['a', 'b', 'c'],
    'Your group is waiting for you in the lobby.',
    { matchId: 'm1', lobbyId: 'l1', gameId: 'g1', mode: 'duo' },
  ],
  [
    'match.fellThrough',
    'matchFellThrough',
    ['c'],
    'Somebody did not accept the match. You kept your waiting time.',
    { matchId: 'm1' },
  ],
  [
    'match.completed',
    'matchCompleted',
    ['a', 'b', 'c'],
    'The result is final.',
    { matchId: 'm1', gameId: 'g1', mode: 'duo' },
  ],
  [
    'ticket.expired',
    'ticketExpired',
    ['a', 'b'],
    'We found no match for Dota 2, Chess. Search again whenever you like.',
    { ticketId: 't1' },
  ],
] as const)('%s notifies as %s those whom it concerns', (fact, type, userIds, body, data) => {
  expect(draftOf(fact)).toEqual({ type, userIds, body, data, title: expect.stringMatching(/\w/) });
});

test('every kind of notification comes from exactly one fact', () => {
  const made = (Object.keys(DRAFTS) as (keyof typeof DRAFTS)[]).map((fact) => draftOf(fact).type);
  expect(made.sort()).toEqual([...NOTIFICATION_TYPES].sort());
});

test('a player in two tickets of a match is told once', () => {
  const twice = { ...facts['match.formed'], tickets: [...tickets, ...tickets] };
  expect(DRAFTS['match.formed'](twice).userIds).toEqual(['a', 'b', 'c']);
});

describe('settings', () => {
  test('are the defaults where nothing was decided', () => {
    expect(settingsOf({})).toEqual(DEFAULT_CHANNELS);
  });

  test('keep the defaults beside what was decided', () => {
    const settings = settingsOf({ lobbyInvited: { push: false } });
    expect(settings.lobbyInvited).toEqual({ ...DEFAULT_CHANNELS.lobbyInvited, push: false });
    expect({ ...settings, lobbyInvited: 0 }).toEqual({ ...DEFAULT_CHANNELS, lobbyInvited: 0 });
  });

  test('name the channels of a type, in a fixed order', () => {
    expect(channelsOf({}, 'friendRequested')).toEqual(['inApp', 'email', 'push']);
    expect(channelsOf({ friendRequested: { inApp: false, push: false } }, 'friendRequested')).toEqual(['email']);
  });
});
