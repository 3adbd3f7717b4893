import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, loadConfig, type Config } from './config';

const SECRETS = { jwtSecret: 'generated-jwt-'.repeat(3), refreshSecret: 'generated-refresh-'.repeat(3) };
const generate = () => SECRETS;
const never = () => {
  throw new Error('secrets were generated');
};

/** Everything that production asks for. */
const PRODUCTION = {
  NODE_ENV: 'production',
  MONGODB_URI: 'mongodb://db.example/maoga?replicaSet=rs0',
  REDIS_URL: 'rediss://cache.example',
  JWT_SECRET: 'FqV3xw9Zt0bLh7Rk2mYp8JdNcU5eSgAo',
  JWT_REFRESH_SECRET: '4f1c9a7be2d80563719bfa02c6e8d354',
  DATA_SECRET: 'Zk3uQ8vR1nXs6WtY0aPd5HfJ2lGmCbEi',
  PUBLIC_URL: 'https://play.example',
  SMTP_URL: 'smtps://mail.example',
  MAIL_FROM: 'Play <play@play.example>',
};

function faultsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment, generate);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return [...(error as Error).message.matchAll(/^ {2}- (\w+)(?: and \w+|[.\w]+)?:/gm)].map(([, name]) => name ?? '');
  }
  return [];
}

describe('configuration', () => {
  it('needs nothing in development', () => {
    const config = loadConfig({}, generate);
    expect(config).toMatchObject({
      env: 'development',
      http: { host: '127.0.0.1', port: 3000 },
      database: { uri: undefined, directory: '.data', allowEmbedded: true, migrate: true, seed: true },
      auth: { keys: { current: { id: 'k1', secret: SECRETS.jwtSecret } }, refreshSecret: SECRETS.refreshSecret },
      metrics: { port: undefined },
    });
  });

  it('logs for people in development on a terminal, for machines elsewhere, and as it is told', () => {
    const pretty = (environment: Record<string, string>, onTerminal: boolean) =>
      loadConfig(environment, generate, onTerminal).log.pretty;
    expect([pretty({}, true), pretty({}, false)]).toEqual([true, false]);
    expect([pretty({ LOG_PRETTY: 'false' }, true), pretty({ LOG_PRETTY: 'true' }, false)]).toEqual([false, true]);
    expect([pretty({ NODE_ENV: 'test' }, true), pretty(PRODUCTION, true)]).toEqual([false, false]);
  });

  it('takes an empty variable for one that is not set', () => {
    expect(loadConfig({ PORT: '', MONGODB_URI: '', LOG_LEVEL: '' }, generate)).toEqual(loadConfig({}, generate));
  });

  it('leaves the external catalogue off without its client, and wants both halves of that', () => {
    const client = { IGDB_CLIENT_ID: 'id', IGDB_CLIENT_SECRET: 'secret' };
    expect(loadConfig({}, generate).catalogue.igdb).toBeUndefined();
    expect(loadConfig({ ...client, IGDB_API_URL: 'https://proxy.example/v4/' }, generate).catalogue.igdb).toEqual({
      clientId: 'id',
      clientSecret: 'secret',
      apiUrl: 'https://proxy.example/v4',
      tokenUrl: 'https://id.twitch.tv/oauth2/token',
    });
    expect(faultsOf({ IGDB_CLIENT_ID: 'id' })).toEqual(['IGDB_CLIENT_ID']);
    expect(faultsOf({ IGDB_CLIENT_SECRET: 'secret' })).toEqual(['IGDB_CLIENT_ID']);
  });

  it('wants a server to be through with the load balancer before it has to be gone', () => {
    expect(faultsOf({ DRAIN_SECONDS: '10', SHUTDOWN_SECONDS: '10' })).toEqual(['DRAIN_SECONDS']);
    expect(loadConfig({ DRAIN_SECONDS: '9', SHUTDOWN_SECONDS: '10' }, generate)).toMatchObject({ drainSeconds: 9 });
  });

  it('ignores what is not its own', () => {
    expect(loadConfig({ PATH: '/bin', HOME: '/' }, generate)).toEqual(loadConfig({}, generate));
  });

  it('splits lists and leaves empty parts out', () => {
    const { http } = loadConfig({ CORS_ORIGINS: 'https://a.example, https://b.example,,' }, generate);
    expect(http.corsOrigins).toEqual(['https://a.example', 'https://b.example']);
  });

  it('reads other numbers for rate limits', () => {
    const { http } = loadConfig({ RATE_LIMIT_CHANGES: 'search=240/60, report=50/3600' }, generate);
    expect(http.rateLimitChanges).toEqual([
      { name: 'search', max: 240, windowSeconds: 60 },
      { name: 'report', max: 50, windowSeconds: 3600 },
    ]);
  });

  it('knows what is the same for everybody at well-known sign-in providers', () => {
    const own = { id: 'guild', issuer: 'https://id.guild.example', clientId: 'c', clientSecret: 's' };
    const SIGN_IN_PROVIDERS = JSON.stringify([{ id: 'discord', clientId: 'a', clientSecret: 'b' }, own]);
    expect(loadConfig({ SIGN_IN_PROVIDERS }, generate).auth.providers).toEqual([
      {
        id: 'discord',
        name: 'Discord',
        issuer: 'https://discord.com',
        scopes: 'openid identify email',
        clientId: 'a',
        clientSecret: 'b',
      },
      { ...own, name: 'guild', scopes: 'openid email profile' },
    ]);
  });

  it('reports every fault in one message, and where to read about them', () => {
    const environment = { PORT: 'many', NODE_ENV: 'prod', JWT_SECRET: 'short', MONGODB_URI: 'localhost', DOCS: 'yes' };
    expect(faultsOf(environment)).toEqual(['NODE_ENV', 'PORT', 'MONGODB_URI', 'JWT_SECRET', 'DOCS']);
    expect(() => loadConfig(environment, generate)).toThrow(/\.env\.example/);
  });

  it('never repeats the value of a secret in a message', () => {
    expect(() => loadConfig({ JWT_SECRET: 'hunter2' }, generate)).not.toThrow(/hunter2/);
  });

  it.each([
    ['PORT', '65536'],
    ['PORT', '80.5'],
    ['REDIS_URL', 'http://cache'],
    ['SMTP_URL', 'mail.example'],
    ['SIGN_IN_PROVIDERS', 'google'],
    ['SIGN_IN_PROVIDERS', '[{"id":"unknown","clientId":"a","clientSecret":"b"}]'],
    ['SIGN_IN_PROVIDERS', '[{"id":"google","clientId":"a"}]'],
    ['DELETION_GRACE_DAYS', '0'],
    ['PUBLIC_URL', 'play.example'],
    ['BCRYPT_COST', '3'],
    ['TRUST_PROXY_HOPS', '-1'],
    ['RATE_LIMITS', 'maybe'],
    ['RATE_LIMIT_CHANGES', 'nothing=1/60'],
    ['RATE_LIMIT_CHANGES', 'search=0/60'],
    ['RATE_LIMIT_CHANGES', 'search=60'],
    ['JWT_SECRET', 'x'.repeat(31)],
    ['JWT_REFRESH_SECRET', 'x'.repeat(31)],
    ['JWT_PREVIOUS_SECRET', 'x'.repeat(31)],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toEqual([name]);
  });

  it('is frozen at every depth', () => {
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    const config: Config = loadConfig({ CORS_ORIGINS: 'https://a.example' }, generate);
    expect(frozen(config)).toBe(true);
    expect(() => {
      config.http.port = 1;
    }).toThrow(TypeError);
  });

  describe('of keys', () => {
    const previous = { JWT_PREVIOUS_SECRET: 'p'.repeat(32), JWT_PREVIOUS_KEY_ID: 'k0' };

    it('knows a previous one during a change', () => {
      expect(loadConfig(previous, generate).auth.keys.previous).toEqual({ id: 'k0', secret: 'p'.repeat(32) });
    });

    it('wants the previous one whole, under a name of its own', () => {
      expect(faultsOf({ JWT_PREVIOUS_KEY_ID: 'k0' })).toEqual(['JWT_PREVIOUS_SECRET']);
      expect(faultsOf({ ...previous, JWT_PREVIOUS_KEY_ID: 'k1' })).toEqual(['JWT_PREVIOUS_KEY_ID']);
    });

    it('asks for generated ones only where one is missing', () => {
      const both = { JWT_SECRET: 'a'.repeat(32), JWT_REFRESH_SECRET: 'b'.repeat(32) };
      expect(loadConfig(both, never).auth.refreshSecret).toBe(both.JWT_REFRESH_SECRET);
      const one = loadConfig({ JWT_SECRET: both.JWT_SECRET }, generate).auth;
      expect([one.keys.current.secret, one.refreshSecret]).toEqual([both.JWT_SECRET, SECRETS.refreshSecret]);
    });
  });

  describe.each(['production', 'staging'])('in %s', (kind) => {
    const environment = { ...PRODUCTION, NODE_ENV: kind };

    it('starts on settings of its own and never makes secrets', () => {
      expect(loadConfig(environment, never)).toMatchObject({
        database: { uri: PRODUCTION.MONGODB_URI, allowEmbedded: false, migrate: false, seed: false },
        metrics: { port: 9464 },
        http: { rateLimits: true },
      });
    });

    it('names everything that is missing at once', () => {
      const required = [
        'MONGODB_URI',
        'REDIS_URL',
        'JWT_SECRET',
        'JWT_REFRESH_SECRET',
        'DATA_SECRET',
        'PUBLIC_URL',
        'SMTP_URL',
      ];
      expect(faultsOf({ NODE_ENV: kind })).toEqual([...required, 'MAIL_FROM']);
    });

    it.each([
      ['BCRYPT_COST', '9'],
      ['RATE_LIMITS', 'false'],
      ['JWT_SECRET', 'weak'],
      ['JWT_REFRESH_SECRET', 'weak'],
      ['DATA_SECRET', 'weak'],
      ['SIGN_IN_PROVIDERS', '[{"id":"x","issuer":"http://id.example","clientId":"a","clientSecret":"b"}]'],
      ['PUBLIC_URL', 'http://play.example'],
      ['CORS_ORIGINS', 'https://app.example,*'],
    ])('refuses %s=%s', (name, value) => {
      expect(faultsOf({ ...environment, [name]: value })).toEqual([name]);
    });

    it.each([
      ['JWT_SECRET', 'x'.repeat(64)],
      ['JWT_REFRESH_SECRET', 'changeme'.repeat(5)],
      ['JWT_REFRESH_SECRET', PRODUCTION.JWT_SECRET],
      ['DATA_PREVIOUS_SECRET', 'x'.repeat(64)],
      ['DATA_PREVIOUS_SECRET', PRODUCTION.DATA_SECRET],
    ])('refuses %s=%s, long as it is', (name, value) => {
      expect(faultsOf({ ...environment, [name]: value })).toEqual([name]);
    });

    it('reports what is missing, what is weak and what cannot be read in one message', () => {
      const environment = {
        NODE_ENV: kind,
        PORT: 'x',
        JWT_SECRET: 'weak',
        BCRYPT_COST: '4',
        REDIS_URL_FILE: '/nowhere',
      };
      expect(faultsOf(environment).sort()).toEqual(
        [
          'BCRYPT_COST',
          'DATA_SECRET',
          'JWT_REFRESH_SECRET',
          'JWT_SECRET',
          'MAIL_FROM',
          'MONGODB_URI',
          'PORT',
          'PUBLIC_URL',
          'REDIS_URL',
          'SMTP_URL',
        ].sort(),
      );
    });

    it('migrates at start where that is asked for', () => {
      expect(loadConfig({ ...environment, MIGRATE_ON_START: 'true' }, never).database.migrate).toBe(true);
    });
  });

  describe('from files', () => {
    let folder: string;
    beforeEach(() => {
      folder = mkdtempSync(join(tmpdir(), 'maoga-secrets-'));
    });
    afterEach(() => rmSync(folder, { recursive: true }));
    const file = (text: string) => {
      const name = join(folder, 'secret');
      writeFileSync(name, text);
      return name;
    };

    it('takes what is in them, without the end of the line', () => {
      const { JWT_SECRET, ...rest } = PRODUCTION;
      const { auth } = loadConfig({ ...rest, JWT_SECRET_FILE: file(`${JWT_SECRET}\n`) }, never);
      expect(auth.keys.current.secret).toBe(JWT_SECRET);
    });

    it('names a file that is not there, one that is empty, and a setting that is made twice', () => {
      const both = { JWT_SECRET: 'j'.repeat(32), JWT_SECRET_FILE: file('') };
      const environment = { ...both, MONGODB_URI_FILE: join(folder, 'none'), REDIS_URL_FILE: both.JWT_SECRET_FILE };
      expect(faultsOf(environment).sort()).toEqual(['JWT_SECRET', 'MONGODB_URI', 'REDIS_URL']);
    });

    it('never shows what is in them', () => {
      expect(() => loadConfig({ JWT_SECRET_FILE: file('hunter2') }, generate)).not.toThrow(/hunter2/);
    });
  });

  it('puts a password of its own into an address of Redis that has none', () => {
    const urlOf = (environment: object) => loadConfig({ ...PRODUCTION, ...environment }, never).redis.url;
    expect(urlOf({ REDIS_PASSWORD: 'p@ss/word' })).toBe('rediss://:p%40ss%2Fword@cache.example');
    const own = 'redis://:own@cache.example';
    expect(urlOf({ REDIS_URL: own, REDIS_PASSWORD: 'other' })).toBe(own);
  });
});
