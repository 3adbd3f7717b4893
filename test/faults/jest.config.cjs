const base = require('../../jest.config.cjs');

/** The whole fault suite: real processes, one file after the other, minutes. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/faults'],
  testMatch: ['**/*.faults.ts', '**/*.test.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
