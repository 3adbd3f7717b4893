const base = require('../../jest.config.cjs');

// servers are killed and started hundreds of times: from what was built, see scripts/cluster/child.ts
process.env.MAOGA_RUN_BUILT = 'true';

/** The whole fault suite: real processes, one file after the other, minutes. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/faults'],
  testMatch: ['**/*.faults.ts', '**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 3_600_000,
};
