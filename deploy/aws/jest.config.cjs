const base = require('../../jest.config.cjs');

/** The stacks, as templates; a minute, because each is synthesised and checked by cdk-nag. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/deploy/aws'],
  testPathIgnorePatterns: ['node_modules', 'cdk.out'],
  maxWorkers: 1,
  testTimeout: 180_000,
};
