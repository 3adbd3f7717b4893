import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { FROM_SOURCE } from '../../test/support/command';

/** What a line looks like where it lands: written by a process of its own, which ends at once. */
async function printed(pretty: boolean): Promise<string> {
  const script = `const { createLogger } = require('./src/core/logger.ts');
    createLogger({ level: 'info', pretty: ${pretty} }).info({ user: { password: 'canary' } }, 'first');
    process.stdout.write('second\\n');
    process.exit(0);`;
  const { stdout } = await promisify(execFile)(process.execPath, [...FROM_SOURCE, '--eval', script]);
  return stdout;
}

test('lines for people stand in order with what else is printed, without secrets, and none is lost at an exit', async () => {
  expect(await printed(true)).toMatch(
    /^\[\d\d:\d\d:\d\d\.\d{3}\] INFO: first\n {4}user: \{[^}]*\[redacted\][^}]*\}\nsecond\n$/,
  );
});

test('lines for machines are JSON with the name of the level and an ISO time, without secrets', async () => {
  const lines = (await printed(false)).split('\n');
  expect(lines).toContain('second');
  const line = lines.find((one) => one.startsWith('{')) ?? '';
  expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: 'first', user: { password: '[redacted]' } });
  expect(JSON.parse(line)).toHaveProperty('time', expect.stringMatching(/^\d{4}-.*Z$/));
});
