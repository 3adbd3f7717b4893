const { default: Sequencer } = require('@jest/test-sequencer');

/** The simulation takes longest by far: begun last, it would be waited for. */
module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests);
    const isLong = ({ path }) => path.endsWith('simulation.test.ts');
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))];
  }
};
