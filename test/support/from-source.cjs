const { createHash } = require('node:crypto');
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs');
const { tmpdir, userInfo } = require('node:os');
const { join } = require('node:path');

/**
 * Required first, it lets a Node process of a test run our TypeScript as it stands, in half the time that tsx takes to start: Node's
 * own loader, no second thread, and what was compiled once is kept for the next process.
 */
const KEPT = join(tmpdir(), `maoga-from-source-${userInfo().uid}`);
mkdirSync(KEPT, { recursive: true, mode: 0o700 });

require.extensions['.ts'] = (module, filename) => {
  const source = readFileSync(filename, 'utf8');
  const kept = join(KEPT, createHash('sha1').update(OPTIONS_TEXT).update(source).digest('hex'));
  module._compile(read(kept) ?? compile(source, kept), filename);
};

const OPTIONS = {
  jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
  module: { type: 'commonjs', ignoreDynamic: true },
  swcrc: false,
};
const OPTIONS_TEXT = JSON.stringify([OPTIONS, require('@swc/core/package.json').version]);

function read(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

function compile(source, kept) {
  const { code } = require('@swc/core').transformSync(source, OPTIONS);
  // under another name first: another process may look for it at this moment
  const draft = `${kept}.${process.pid}`;
  writeFileSync(draft, code);
  renameSync(draft, kept);
  return code;
}
