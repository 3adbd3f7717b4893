import { expectThat, type Walk } from './steps';
import { walkTls } from './tls';

/**
 * How a deployment looks to anybody who comes along: what docs/security.md promises of TLS, headers and limits, seen from
 * outside, because a proxy in front can take away what the server sends.
 */
export async function walkEdge(walk: Walk, url: string): Promise<void> {
  const { step, skip } = walk;
  const secure = url.startsWith('https:');

  await step('it is alive and ready', async () => {
    for (const path of ['/livez', '/readyz']) {
      const { status } = await fetch(url + path);
      expectThat(status === 200, `GET ${path} was answered ${status}`);
    }
    const { status, checks } = (await (await fetch(`${url}/readyz`)).json()) as { status: string; checks: object };
    expectThat(status === 'ok', `it serves, but ${status}: ${JSON.stringify(checks)}`);
  });

  await step('answers carry security headers and a request id, and do not say what made them', async () => {
    const { headers } = await fetch(`${url}/api/games?limit=1`);
    const wanted: Record<string, RegExp> = {
      'content-security-policy': /default-src 'none'/,
      'x-content-type-options': /^nosniff$/,
      'x-frame-options': /.+/,
      'referrer-policy': /^no-referrer$/,
      'x-request-id': /.+/,
      ...(secure ? { 'strict-transport-security': /max-age=[1-9]\d{6,}/ } : {}),
    };
    for (const [name, pattern] of Object.entries(wanted))
      expectThat(pattern.test(headers.get(name) ?? ''), `${name} is ${headers.get(name) ?? 'missing'}`);
    expectThat(headers.get('x-powered-by') === null, `x-powered-by says ${headers.get('x-powered-by')}`);
  });

  await step('answers about credentials are never stored', async () => {
    const { headers } = await post(`${url}/api/auth/refresh`, { refreshToken: 'none' });
    expectThat(headers.get('cache-control') === 'no-store', `cache-control is ${headers.get('cache-control')}`);
  });

  await step('other origins may not call from a browser', async () => {
    const { headers } = await fetch(`${url}/api/games?limit=1`, { headers: { origin: 'https://stranger.invalid' } });
    const allowed = headers.get('access-control-allow-origin');
    expectThat(allowed === null || !['*', 'https://stranger.invalid'].includes(allowed), `allowed: ${allowed}`);
  });

  await step('requests are counted against limits', async () => {
    const { headers } = await fetch(`${url}/api/games?limit=1`);
    expectThat(headers.get('ratelimit') !== null, 'no answer tells of a limit: is RATE_LIMITS off?');
  });

  await step('metrics are not for the public', async () => {
    const { status } = await fetch(`${url}/metrics`);
    expectThat(status === 404 || status === 403, `GET /metrics was answered ${status}`);
  });

  await step('bad input is refused with a problem that names it', async () => {
    const answer = await post(`${url}/api/auth/login`, { identifier: { $ne: null }, password: 'x' });
    const type = answer.headers.get('content-type') ?? '';
    expectThat(answer.status === 400, `operators in a login were answered ${answer.status}`);
    expectThat(type.startsWith('application/problem+json'), `the answer is ${type}`);
  });

  if (!secure) return skip('TLS', 'the address is not https');
  await walkTls(walk, url);
  await step('plain HTTP leads to HTTPS', async () => {
    const plain = url.replace(/^https:/, 'http:').replace(/:\d+$/, '');
    const answer = await fetch(`${plain}/livez`, { redirect: 'manual' }).catch(() => undefined);
    const to = answer?.headers.get('location') ?? '';
    expectThat(!answer || to.startsWith('https://'), `http:// was answered ${answer?.status} without a redirect`);
  });
}

const post = (url: string, body: object) =>
  fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
