const base = require('../../jest.config.cjs');

/** The image's build and start, step by step: about a minute, most of it `npm ci`. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/image'],
  testMatch: ['**/*.image.ts'],
  maxWorkers: 1,
  testTimeout: 600_000,
};
