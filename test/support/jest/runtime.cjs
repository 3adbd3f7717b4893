const { createRequire } = require('node:module');
const { sep } = require('node:path');
const { default: JestRuntime } = require('jest-runtime');

/**
 * Modules as Node loads them, in place of Jest's own loader, which would load everything anew for each test file, in a world of its
 * own: Mongoose, Express and the whole server, a hundred and fifty times, and never warm. Here a worker loads what is tested once,
 * as production does, and only the files of the tests themselves anew for each test file. What is tested keeps no state in its
 * modules, so that the order of files does not matter. In exchange there is no `jest.mock`.
 */
module.exports = class NodeRuntime extends JestRuntime {
  constructor(config, environment, resolver, transformer, ...rest) {
    super(config, environment, resolver, transformer, ...rest);
    require.extensions['.ts'] = (module, filename) => {
      const { code, sourceMapPath } = transformer.transform(filename, COMMON_JS);
      if (sourceMapPath) sourceMaps.set(filename, sourceMapPath);
      module._compile(code, filename);
    };
    for (const path of Object.keys(require.cache)) if (isOfTests(path)) delete require.cache[path];
  }

  requireModule(from, moduleName) {
    const load = createRequire(from);
    if (moduleName !== undefined) return load(moduleName);
    globalThis.jest = this.requireModuleOrMock(from, '@jest/globals').jest;
    return load(from);
  }

  /** Jest's own parts, of which only the test framework holds something of the file that it runs. */
  requireInternalModule(from, moduleName) {
    return createRequire(from)(moduleName ?? from);
  }

  getSourceMaps() {
    return sourceMaps;
  }
};

const COMMON_JS = {
  isInternalModule: false,
  supportsDynamicImport: true,
  supportsExportNamespaceFrom: false,
  supportsStaticESM: false,
  supportsTopLevelAwait: false,
};

/** Where the source map of each file is, for the lines that a failure names. */
const sourceMaps = new Map();

const FRAMEWORK = require.resolve('jest-circus/runner').replace('runner.js', '');

function isOfTests(path) {
  if (path.startsWith(FRAMEWORK)) return true;
  return !path.includes(`${sep}node_modules${sep}`) && /[\\/](test|testing)[\\/]|\.test\.ts$/.test(path);
}
