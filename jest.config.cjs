/** Tests run as CommonJS through swc: no type check here, `npm run typecheck` does that. */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test', '<rootDir>/simulate'],
  testMatch: ['**/*.test.ts'],
  // node, and a file that leaves a timer, a socket or a process behind fails
  testEnvironment: '<rootDir>/test/support/leak-guard.ts',
  maxWorkers: '100%',
  transform: { '^.+\\.[cm]?[tj]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // ES modules, and a package that imports on demand, neither of which Jest can do: they are transformed like our own code
  moduleNameMapper: { '^migrate-mongo$': '<rootDir>/test/support/migrate-mongo.cjs' },
  transformIgnorePatterns: [
    '/node_modules/(?!(migrate-mongo|@seriousme/openapi-schema-validator|@otplib|@opentelemetry/otlp-exporter-base|@scure|@noble|openid-client|oauth4webapi|jose)/)',
  ],
  testTimeout: 20_000,
};
