/**
 * Reads reports of Jest, a later one replacing what an earlier one says of the same file, and prints the line that ends a run:
 * `N passed, N failed[, N skipped]`. Exits with 1 where something failed or nothing ran.
 */
const { readFileSync } = require('node:fs');

const files = new Map();
for (const report of process.argv.slice(2))
  for (const file of JSON.parse(readFileSync(report, 'utf8')).testResults) files.set(file.name, file);

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const { status, assertionResults } of files.values()) {
  for (const test of assertionResults)
    counts[test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped'] += 1;
  // a file that could not run, or left something behind, has failed even if each of its tests passed
  if (status === 'failed' && !assertionResults.some((test) => test.status === 'failed')) counts.failed += 1;
}

const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exitCode = counts.failed > 0 || counts.passed === 0 ? 1 : 0;
