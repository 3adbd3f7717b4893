/**
 * The boundaries of src/. Arrows point down only:
 *
 *   config, core  <  database, redis, mail, http, realtime, observability  <  modules  <  server
 *
 * test/architecture.test.ts runs these rules on src/, and plants a violation of each to see it caught.
 */

// tests, and the builders of test data beside them, may look inside what they test
const NOT_TESTS = '(\\.test\\.ts$|/testing/)';
const COMPOSITION = '^src/(server|main|start-up-block|start-up-failure|log-level-on-signal)\\.ts$';

/** The folders of src/embedded-mongo/, from the ground up. */
const EMBEDDED_LAYERS = [
  'values',
  'expressions',
  'filters',
  'aggregation',
  'updates',
  'storage',
  'queries',
  'commands',
  'protocol',
];
const embeddedLayer = (layer, i) => ({
  name: `embedded-mongo-${layer}-know-nothing-above`,
  comment: `Arrows between its folders point one way: ${EMBEDDED_LAYERS.join(' < ')}.`,
  severity: 'error',
  from: { path: `^src/embedded-mongo/${layer}/`, pathNot: NOT_TESTS },
  to: { path: `^src/embedded-mongo/((${EMBEDDED_LAYERS.slice(i + 1).join('|')})/|index\\.ts$|cli\\.ts$)` },
});

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one file, or need a third: also where only types go round.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable-imports',
      comment: 'An import that leads nowhere.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'production-code-knows-no-tests',
      comment: 'What ships imports neither tests nor their builders.',
      severity: 'error',
      from: { pathNot: NOT_TESTS },
      to: { path: ['\\.test\\.ts$', '/testing/', '^test/'] },
    },
    {
      name: 'production-code-uses-dependencies-only',
      comment:
        'A development dependency is missing where the server runs. The one exception asks for it at run time and copes without.',
      severity: 'error',
      from: { pathNot: [NOT_TESTS, '^src/database/(connect|local-mongod)\\.ts$'] },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-knows-only-itself',
      comment: 'core/ is what everything stands on: it imports no module and no infrastructure.',
      severity: 'error',
      from: { path: '^src/core/', pathNot: NOT_TESTS },
      to: { path: '^src/', pathNot: '^src/core/' },
    },
    {
      name: 'config-knows-only-itself',
      comment: 'config/ is handed out in slices by the composition root and asks nobody for anything.',
      severity: 'error',
      from: { path: '^src/config/', pathNot: NOT_TESTS },
      to: { path: '^src/', pathNot: '^src/config/' },
    },
    {
      name: 'infrastructure-knows-no-modules',
      comment: 'database/, redis/, mail/, http/, realtime/ and observability/ carry the modules and know none of them.',
      severity: 'error',
      from: { path: '^src/(database|redis|mail|http|realtime|observability)/', pathNot: NOT_TESTS },
      to: { path: ['^src/modules/', COMPOSITION] },
    },
    {
      name: 'modules-do-not-know-the-server',
      comment: 'A module gets what it needs as `deps`; it never reaches up to the composition root.',
      severity: 'error',
      from: { path: '^src/modules/', pathNot: NOT_TESTS },
      to: { path: COMPOSITION },
    },
    {
      name: 'modules-meet-at-index',
      comment: "A module's face is its index.ts: a neighbour imports nothing behind it.",
      severity: 'error',
      from: { path: '^src/modules/([^/]+)/', pathNot: NOT_TESTS },
      to: { path: '^src/modules/[^/]+/', pathNot: ['^src/modules/$1/', '^src/modules/[^/]+/index\\.ts$'] },
    },
    {
      name: 'server-meets-modules-at-index',
      comment: 'The composition root, too, sees of a module only its index.ts.',
      severity: 'error',
      from: { pathNot: ['^src/modules/', NOT_TESTS] },
      to: { path: '^src/modules/[^/]+/', pathNot: '^src/modules/[^/]+/index\\.ts$' },
    },
    {
      name: 'engine-is-pure',
      comment: 'The engine gets everything as arguments: no I/O, no library, no neighbour; of the rest only types.',
      severity: 'error',
      from: { path: '^src/modules/matchmaking/engine/', pathNot: NOT_TESTS },
      to: { pathNot: '^src/modules/matchmaking/engine/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'embedded-mongo-stands-alone',
      comment: 'It could be lifted out into a package of its own: it imports nothing of the server.',
      severity: 'error',
      from: { path: '^src/embedded-mongo/' },
      to: { path: ['^src/', '^test/'], pathNot: '^src/embedded-mongo/' },
    },
    {
      name: 'embedded-mongo-is-entered-at-index',
      comment: 'The server reaches the embedded database by its index.ts, and then by its URI, like any MongoDB.',
      severity: 'error',
      from: { pathNot: '^src/embedded-mongo/' },
      to: { path: '^src/embedded-mongo/', pathNot: '^src/embedded-mongo/index\\.ts$' },
    },
    ...EMBEDDED_LAYERS.slice(0, -1).map(embeddedLayer),
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    // counts imports that vanish when compiled: a type is knowledge too
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['require', 'node', 'default', 'types'] },
  },
};
