import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** A real OpenID Connect provider (see oidc-provider.mjs), and the browser of somebody who signs in there. */
export interface TestProvider {
  issuer: string;
  stop(): Promise<void>;
}

const running: TestProvider[] = [];

export async function startProvider(...redirectUris: string[]): Promise<TestProvider> {
  const script = join(__dirname, 'oidc-provider.mjs');
  const child = spawn(process.execPath, ['--no-warnings', script, ...redirectUris], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const lines = createInterface(child.stdout);
  let issuer = '';
  for await (const line of lines)
    if (line.startsWith('http')) {
      issuer = line;
      break;
    }
  if (issuer === '') throw new Error('the provider did not start');
  const provider = {
    issuer,
    async stop() {
      if (child.exitCode !== null) return;
      child.stdin.end();
      await once(child, 'exit');
    },
  };
  running.push(provider);
  return provider;
}

afterAll(async () => {
  for (const provider of running.splice(0)) await provider.stop();
});

/** Opens the provider's page, logs in as this person and agrees. @returns where the provider sends the browser back to */
export async function signInThere(authorizationUrl: string, login: string): Promise<URL> {
  const cookies = new Map<string, string>();
  const { origin } = new URL(authorizationUrl);
  const visit = async (url: URL, form?: Record<string, string>): Promise<{ location: URL | null; text: string }> => {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      ...(form ? { body: new URLSearchParams(form) } : {}),
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    return { location: location === null ? null : new URL(location, url), text: await response.text() };
  };

  let at = new URL(authorizationUrl);
  for (let steps = 0; steps < 20; steps++) {
    let { location, text } = await visit(at);
    const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1];
    if (!location && prompt) ({ location, text } = await visit(at, { prompt, login, password: 'any' }));
    if (!location) throw new Error(`the provider shows no way on: ${text.slice(0, 500)}`);
    if (location.origin !== origin) return location;
    at = location;
  }
  throw new Error('the provider sends the browser round in circles');
}

/** What an app keeps, and what it shows. */
export function appSecret(): { codeVerifier: string; codeChallenge: string } {
  const codeVerifier = randomBytes(32).toString('base64url');
  return { codeVerifier, codeChallenge: createHash('sha256').update(codeVerifier).digest('base64url') };
}
