import { lossesAmiss, lossesOf } from '../../demo/losses';

/** On a server of its own the demo lets nothing pass that it makes good where instances are killed. */

const nothing = { cuts: 0, gaps: 0, unanswered: 0 };

test('what was lost is counted over all players', () => {
  const actors = [
    { cuts: 1, gaps: 0 },
    { cuts: 2, gaps: 3 },
  ];
  expect(lossesOf({ actors, tally: { unanswered: 4 } })).toEqual({ cuts: 3, gaps: 3, unanswered: 4 });
});

test.each([
  ['cuts', 'connections were lost'],
  ['gaps', 'news was missed'],
  ['unanswered', 'not answered at first'],
])('%s are amiss there', (loss, said) => {
  expect(lossesAmiss(nothing)).toEqual([]);
  expect(lossesAmiss({ ...nothing, [loss]: 1 })).toEqual([expect.stringContaining(said)]);
});
