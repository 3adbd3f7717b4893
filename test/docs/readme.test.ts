import { execFile, execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MaogaServer } from '../../src/server';
import { startTestServer } from '../support/server';

/** The examples of README.md work as they are printed. */

const ROOT = join(__dirname, '../..');
const readme = readFileSync(join(ROOT, 'README.md'), 'utf8');

function block(language: string, containing: string): string {
  const blocks = [...readme.matchAll(new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 'gs'))].map(([, text = '']) => text);
  const found = blocks.find((text) => text.includes(containing));
  if (found === undefined) throw new Error(`README.md has no ${language} example with ${containing}`);
  return found;
}

describe('README.md', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer({ env: { SEED_ON_START: 'true' } });
  });

  it('shows a player that finds a match', async () => {
    const program = block('js', 'socket.io-client');
    const [ada, grace] = await Promise.all([play(program, 'ada'), play(program, 'grace')]);
    expect(ada).toMatch(/searching …\nmatched! our lobby is [0-9a-f]{24}\ngrace: Hi, I am grace\.\n$/);
    expect(grace).toMatch(/ada: Hi, I am ada\.\n$/);
  });

  const curl = hasCurl() ? it : it.skip;
  curl('shows requests that can be pasted into a shell', async () => {
    const commands = block('bash', 'curl').replaceAll('localhost:3000', new URL(server.url).host);
    const answers = await run('bash', ['-e', '-c', commands.replaceAll('\n\ncurl', '\necho\ncurl')]);
    const tokens = answers.split('\n').map((line) => (JSON.parse(line) as { accessToken: string }).accessToken);
    expect(tokens).toEqual([expect.stringMatching(/^eyJ/), expect.stringMatching(/^eyJ/)]);
  });

  /** Runs the program as `node find-a-match.mjs <name>` would. @returns what it printed */
  function play(program: string, name: string): Promise<string> {
    return run(process.execPath, ['--input-type=module', '-', name], program);
  }

  function run(command: string, args: string[], input = ''): Promise<string> {
    const options = { cwd: ROOT, timeout: 15_000, env: { ...process.env, MAOGA_URL: server.url } };
    return new Promise((resolve, reject) => {
      const child = execFile(command, args, options, (error, stdout, stderr) =>
        error ? reject(new Error(`${error.message}\n${stdout}\n${stderr}`)) : resolve(stdout),
      );
      child.stdin?.end(input);
    });
  }
});

function hasCurl(): boolean {
  try {
    execFileSync('curl', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
