import { standInGame } from '../testing/igdb-stand-in';
import { toExternalGame } from './igdb-games';

/** IGDB's games in our words. */

const factsOf = (more: object) => toExternalGame(standInGame({ id: 7, ...more }))?.facts;

test('a game is taken with its names, kinds, platforms, date and number of players, and without modes', () => {
  const game = standInGame({
    id: 7,
    name: 'Halo 3',
    slug: 'halo-3',
    alternative_names: [{ name: 'H3' }, { name: 'Halo 3' }, { name: 'H3' }, { name: 'x'.repeat(51) }],
    genres: [{ slug: 'shooter' }, { slug: 'role-playing-rpg' }],
    platforms: [12, 6, 14, 26],
    first_release_date: 1_190_678_400,
    multiplayer_modes: [{ id: 99_999, onlinemax: 16, onlinecoopmax: 4, offlinemax: null }],
  });
  expect(toExternalGame(game)).toEqual({
    id: '7',
    changedAt: new Date(1_700_000_000_000),
    facts: {
      slug: 'halo-3',
      name: 'Halo 3',
      description: 'From elsewhere.',
      aliases: ['H3'],
      genres: ['shooter', 'rpg'],
      platforms: ['xbox', 'pc'],
      releaseDate: '2007-09-25',
      players: { min: 1, max: 16 },
      modes: [],
    },
  });
});

test.each<[string, object, object]>([
  ['a slug of theirs that is none of ours', { slug: 'doom--1' }, { slug: 'doom-1' }],
  ['a name in another script, and no slug', { name: '原神', slug: '' }, { slug: 'game-7', name: '原神' }],
  [
    'nothing about players of a huge world',
    { game_modes: [5], multiplayer_modes: [] },
    { players: { min: 2, max: 100 } },
  ],
  ['nothing about players', { multiplayer_modes: undefined }, { players: { min: 1, max: 2 } }],
  ['absurd players', { multiplayer_modes: [{ onlinemax: 1e9 }] }, { players: { min: 1, max: 1000 } }],
  ['no kind', { genres: undefined }, { genres: ['other'] }],
  ['no date', { first_release_date: undefined }, { releaseDate: null }],
])('%s is borne', (_what, more, facts) => expect(factsOf(more)).toMatchObject(facts));

test('a long summary ends at a word', () => {
  const description = factsOf({ summary: 'word '.repeat(400) })?.description ?? '';
  expect(description.length).toBeLessThanOrEqual(1000);
  expect(description).toMatch(/ word…$/);
});

test.each<[string, unknown]>([
  ['no platform of ours', standInGame({ platforms: [52] })],
  ['a slug that a route has', standInGame({ slug: 'sync' })],
  ['a name that is a number', { ...standInGame(), name: 5 }],
  ['control characters', standInGame({ name: 'a\u0000b' })],
  ['a name longer than ours may be', standInGame({ name: 'x'.repeat(101) })],
  ['no object', 'game'],
])('what has %s is left out', (_what, entry) => expect(toExternalGame(entry)).toBeNull());
