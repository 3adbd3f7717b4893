import rules from '../../eslint.config.mjs';

/** The server's rules, without what it leaves out, on the types of this package. */
const [, ...all] = rules;

export default [
  { ignores: ['cdk.out/'] },
  ...all,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: 'tsconfig.json', tsconfigRootDir: import.meta.dirname } },
  },
];
