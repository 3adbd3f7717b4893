import { REGIONS as SEARCHED } from '../matchmaking/engine';
import { sightOf, type Sight, type Viewer } from './users.policy';
import { accountFields, REGIONS } from './users.schemas';

const VIEWERS: Viewer[] = ['owner', 'friend', 'stranger', 'blocked'];

test.each<['public' | 'friends' | 'private', Sight[]]>([
  ['public', ['profile', 'profile', 'profile', 'nothing']],
  ['friends', ['profile', 'profile', 'card', 'nothing']],
  ['private', ['profile', 'card', 'nothing', 'nothing']],
])('a %s profile shows owner, friend, stranger and blocked: %j', (visibility, seen) => {
  expect(VIEWERS.map((viewer) => sightOf(visibility, viewer))).toEqual(seen);
});

test('preferences name the regions that matchmaking knows', () => {
  expect(REGIONS).toEqual(SEARCHED);
});

test.each([
  ['ann', true],
  ['Ann_B-2.0', true],
  ['a'.repeat(24), true],
  ['0x1', true],
  ['_ann', false],
  ['ann@home', false],
  ['ann b', false],
  ['ann\n', false],
  ['Support', false],
])('%j as a username: %s', (username, taken) => {
  expect(accountFields.username.safeParse(username).success).toBe(taken);
});

test.each([
  ['Ann', true],
  ['  Ann  ', true],
  ['安 🎮', true],
  ['a\tb', false],
  ['a\u200bb', false],
  ['\u202eannA', false],
])('%j as a display name: %s', (displayName, taken) => {
  expect(accountFields.displayName.safeParse(displayName).success).toBe(taken);
});
