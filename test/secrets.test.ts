import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** No file of the repository holds a secret that is good for something. */

const ROOT = join(__dirname, '..');

const SECRETS: Record<string, RegExp> = {
  'a private key': /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\n[A-Za-z0-9+/=]{20}/,
  'an AWS key': /\b(?:AKIA|ASIA)(?!IOSFODNN7EXAMPLE)[0-9A-Z]{16}\b/,
  'a GitHub token': /\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_\w{40})/,
  'an npm token': /\bnpm_[A-Za-z0-9]{36}\b|_authToken=(?!\$\{)\S/,
  'a Slack token': /\bxox[abpsr]-[A-Za-z0-9-]{10}/,
  'a Google key': /\bAIza[0-9A-Za-z_-]{35}\b/,
  'a Stripe key': /\b[sr]k_live_[0-9A-Za-z]{20}/,
  'a signed JWT': /\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{40,}/,
  'a password in an address':
    /\b(?:mongodb(?:\+srv)?|rediss?|smtps?|postgres):\/\/[^\s:/@'"`$<{]+:(?!\*|\.\.\.|%)[^\s@/'"`$<{]{6,}@(?!localhost|127\.|example|mongo|redis|db)/,
};

/** What the tests make up, and where. */
const MADE_UP: Record<string, string[]> = { '.env.example': ['smtp://user:password@'] };

const files = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0').filter(Boolean);

test('each kind of secret is found where there is one', () => {
  const planted = [
    `-----BEGIN PRIVATE KEY-----\n${'A'.repeat(30)}`,
    `AKIA${'A'.repeat(16)}`,
    `ghp_${'a'.repeat(36)}`,
    `npm_${'a'.repeat(36)}`,
    `xoxb-${'1'.repeat(12)}`,
    `AIza${'a'.repeat(35)}`,
    `sk_live_${'a'.repeat(24)}`,
    `${`eyJ${'a'.repeat(20)}.`.repeat(2)}${'b'.repeat(43)}`,
    `mongodb://ann:${'secretive'}@cluster.prod.test`,
  ];
  expect(Object.values(SECRETS).map((pattern, i) => pattern.test(planted[i] ?? ''))).toEqual(planted.map(() => true));
});

test('no file holds one', () => {
  const found = files.flatMap((file) => {
    const text = readFileSync(join(ROOT, file), 'latin1');
    return Object.entries(SECRETS).flatMap(([what, pattern]) => {
      const [match] = pattern.exec(text) ?? [];
      return match === undefined || MADE_UP[file]?.includes(match) ? [] : [`${file}: ${what}: ${match.slice(0, 60)}`];
    });
  });
  expect(files.length).toBeGreaterThan(300);
  expect(found).toEqual([]);
});
