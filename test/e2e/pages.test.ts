import type { MaogaServer } from '../../src/server';
import { request } from '../support/client';
import { startTestServer } from '../support/server';

/** What the server serves besides the API: pages, documents, health. Every one of them, by its headers. */

const PAGES = [
  '/docs',
  '/docs/events',
  '/docs/docs.css',
  '/docs/start.js',
  '/docs/swagger-ui.css',
  '/account',
  '/account/account.js',
];
const DOCUMENTS = [
  '/openapi.json',
  '/asyncapi.json',
  '/health',
  '/livez',
  '/readyz',
  '/nothing/here',
  '/api/games',
  '/api/nothing',
];

/** `name -> sources` of a Content-Security-Policy. */
const policyOf = (headers: Headers) =>
  Object.fromEntries(
    (headers.get('content-security-policy') ?? '').split(';').map((directive) => {
      const [name = '', ...sources] = directive.trim().split(' ');
      return [name, sources];
    }),
  );

describe('every page and document', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer();
  });

  test.each([...PAGES, ...DOCUMENTS])(
    '%s has the security headers, sets no cookie and does not say what it runs on',
    async (path) => {
      const { headers } = await fetch(server.url + path);
      expect(headers.get('strict-transport-security')).toMatch(/max-age=\d{7,}; includeSubDomains/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cross-origin-opener-policy')).toBe('same-origin');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('server')).toBeNull();
      expect(headers.get('access-control-allow-origin')).not.toBe('*');
      const policy = policyOf(headers);
      for (const directive of ['default-src', 'base-uri', 'form-action', 'frame-ancestors'])
        expect([directive, policy[directive]]).toEqual([directive, ["'none'"]]);
      // no script but our own, none in a page, and none that is made of text
      for (const source of policy['script-src'] ?? []) expect(source).toBe("'self'");
    },
  );

  test.each(PAGES.filter((path) => !/\.\w+$/.test(path)))(
    '%s loads nothing from elsewhere, and holds no script of its own',
    async (path) => {
      const text = await (await fetch(server.url + path)).text();
      const loaded = [...text.matchAll(/(?:src|href)="([^"#]+)"/g)].map(([, target = '']) => target);
      for (const target of loaded) expect(target).toMatch(/^(\/|data:,)/);
      expect(text).not.toMatch(/<script(?![^>]*src=)|\son\w+=|javascript:/i);
    },
  );
});

describe('pages are limited too', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer({
      env: { RATE_LIMITS: 'true', TRUST_PROXY_HOPS: '1', RATE_LIMIT_CHANGES: 'pages=5/60' },
    });
  });

  test.each([...['/docs', '/health', '/openapi.json', '/.env', '/api/nothing'].entries()])(
    '%s: %s, by address, with the headers of draft 8',
    async (i, path) => {
      const get = (ip: string) => request(server, 'GET', path, { headers: { 'x-forwarded-for': ip } });
      const answers = await Promise.all(Array.from({ length: 7 }, () => get(`192.0.2.${i}`)));
      expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
      const refused = answers.find(({ status }) => status === 429);
      expect(refused?.headers.get('ratelimit')).toMatch(/^"pages"; r=0; t=\d+$/);
      expect(refused?.headers.get('ratelimit-policy')).toMatch(/^"pages"; q=5; w=60/);
      expect(Number(refused?.headers.get('retry-after'))).toBeGreaterThan(0);
      expect((await get(`198.51.100.${i}`)).status).not.toBe(429);
      // a /56 is one address
      await Promise.all(Array.from({ length: 5 }, (_, host) => get(`2001:db8:${i}:10${host}::1`)));
      expect((await get(`2001:db8:${i}:1ff::9`)).status).toBe(429);
    },
  );

  test('but load balancers may ask as often as they like', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => request(server, 'GET', '/readyz')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe('credentials, also where Redis is away', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer({
      env: {
        RATE_LIMITS: 'true',
        TRUST_PROXY_HOPS: '1',
        RATE_LIMIT_CHANGES: 'attempts=3/900,credentials=10/60',
        // nothing listens on the discard port
        REDIS_URL: 'redis://127.0.0.1:9',
      },
    });
  });
  const ask = (path: string, body: object, ip: string) =>
    request(server, 'POST', path, { body, headers: { 'x-forwarded-for': ip } });

  test.each([
    ['/api/auth/login', { identifier: 'nobody', password: 'x' }, 401],
    ['/api/auth/reset-password', { email: 'nobody@example.test' }, 202],
  ])('%s is limited for each account', async (path, body, status) => {
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask(path, body, `192.0.2.${status % 200}`)).status);
    expect(statuses).toEqual([status, status, status, 429]);
    // the owner, from elsewhere, is not locked out by it
    expect((await ask(path, body, `198.51.100.${status % 200}`)).status).toBe(status);
  });

  test('registering is limited by address', async () => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask('/api/auth/register', {}, '203.0.113.1')));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(2);
  });
});
