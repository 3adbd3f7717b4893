/** Tests run as CommonJS through swc: no type check here, `npm run typecheck` does that. */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/simulate'],
  testMatch: ['**/*.test.ts'],
  // node, and a file that leaves a timer, a socket or a process behind fails
  testEnvironment: '<rootDir>/test/support/leak-guard.ts',
  maxWorkers: '100%',
  transform: { '^.+\\.[cm]?[tj]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // ES modules, which Jest cannot import: they are transformed like our own code
  moduleNameMapper: { '^migrate-mongo$': '<rootDir>/test/support/migrate-mongo.cjs' },
  transformIgnorePatterns: [
    '/node_modules/(?!(migrate-mongo|@seriousme/openapi-schema-validator|@otplib|@scure|@noble|openid-client|oauth4webapi|jose)/)',
  ],
  testTimeout: 20_000,
};
