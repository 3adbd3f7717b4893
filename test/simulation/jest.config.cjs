const base = require('../../jest.config.cjs');

if (process.env.SIMULATION_SEED === undefined) process.env.SIMULATION_SEEDS ??= '2000';

/** The long form of the simulation: `npm test` makes 200 of its runs. */
module.exports = {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/simulation'],
  testMatch: ['**/*.test.ts', '**/*.simulation.ts'],
};
