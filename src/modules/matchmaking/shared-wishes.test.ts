import { sharedWishes } from './shared-wishes';

type Wishes = Parameters<typeof sharedWishes>[0][number];

const asks = (wishes: Partial<Wishes> = {}): Wishes => ({
  groupSize: null,
  regions: [],
  regionPreference: 'preferred',
  languages: [],
  languagePreference: 'any',
  skillPreference: 'similar',
  roles: [],
  latencies: {},
  ...wishes,
});

describe('what several tickets ask together', () => {
  it.each<[string, Partial<Wishes>[], Partial<Wishes>]>([
    [
      'nothing, where nobody asks for anything',
      [{}, {}],
      { groupSize: null, languages: [], languagePreference: 'any' },
    ],
    [
      'a size that suits all',
      [{ groupSize: { min: 2, max: 4 } }, {}, { groupSize: { min: 3, max: 5 } }],
      { groupSize: { min: 3, max: 4 } },
    ],
    [
      'the languages that all speak who insist on one, as strictly as the strictest',
      [
        { languages: ['de', 'en-GB'], languagePreference: 'preferred' },
        { languages: ['en', 'fr'], languagePreference: 'strict' },
        { languages: ['pl'], languagePreference: 'any' },
      ],
      { languages: ['en-GB'], languagePreference: 'strict' },
    ],
    [
      'no language any more, where those who insisted have given way to each other',
      [
        { languages: ['de'], languagePreference: 'preferred' },
        { languages: ['fr'], languagePreference: 'preferred' },
      ],
      { languages: [], languagePreference: 'any' },
    ],
    [
      'similar skill, unless all take any',
      [{ skillPreference: 'any' }, { skillPreference: 'similar' }],
      { skillPreference: 'similar' },
    ],
    ['any skill, where all take any', [{ skillPreference: 'any' }], { skillPreference: 'any' }],
    [
      'the region in which they play, as strictly as the strictest',
      [{ regionPreference: 'any' }, { regionPreference: 'strict', regions: ['NA', 'EU'] }],
      { regions: ['EU'], regionPreference: 'strict' },
    ],
    [
      'the worst round trips to the regions that all have measured',
      [{ latencies: { EU: 20, NA: 90 } }, { latencies: { EU: 50 } }, {}],
      { latencies: { EU: 50 } },
    ],
  ])('is %s', (_, asked, shared) => expect(sharedWishes(asked.map(asks), 'EU')).toMatchObject(shared));

  it('is no region where none was chosen', () => expect(sharedWishes([asks()], null).regions).toEqual([]));
});
