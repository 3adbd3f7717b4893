const { availableParallelism } = require('node:os');

/** Tests run as CommonJS through swc: no type check here, `npm run typecheck` does that. */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/simulate'],
  testMatch: ['**/*.test.ts'],
  // a file that leaves a timer, a socket or a process behind fails
  testEnvironment: '<rootDir>/test/support/jest/environment.ts',
  runtime: '<rootDir>/test/support/jest/runtime.cjs',
  testSequencer: '<rootDir>/test/support/jest/sequencer.cjs',
  // servers in a test often wait: for a sync of the disk, a tick, a lease (Jest takes no percentage above 100)
  maxWorkers: Math.ceil(1.5 * availableParallelism()),
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { ignoreDynamic: true } },
    ],
  },
  testTimeout: 20_000,
};
