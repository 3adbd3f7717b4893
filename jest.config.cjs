/** Tests run as CommonJS through swc: no type check here, `npm run typecheck` does that. */
module.exports = {
  roots: ['<rootDir>/src', '<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testEnvironment: 'node',
  transform: { '^.+\\.[cm]?[tj]s$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } } }] },
  // migrate-mongo is an ES module, which Jest cannot import: it is transformed like our own code
  moduleNameMapper: { '^migrate-mongo$': '<rootDir>/node_modules/migrate-mongo/lib/migrate-mongo.js' },
  transformIgnorePatterns: ['/node_modules/(?!migrate-mongo/)'],
  testTimeout: 20_000,
};
