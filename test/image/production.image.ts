import { execFile } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, startChild } from '../../scripts/cluster/child';
import { startDatabase, startRedis, type Service } from '../../scripts/cluster/services';
import { registerPlayer, request } from '../support/client';
import { dryBuild, type DryImage } from './support/dry-build';
import { imageNode } from './support/image-node';

/**
 * The production image without a container engine: what the Dockerfile says is done step by step in an empty folder, and
 * what comes of it is started as its CMD says, as a user of few rights, with production's configuration, against a
 * database and a Redis of their own.
 */

const ROOT = join(__dirname, '../..');
const VERSION = '1.2.3-rc.1';
/** `nobody`: may read what is everybody's to read. Only root can become another user. */
const RIGHTS = process.getuid?.() === 0 ? { runAs: 65_534 } : {};

let folder: string;
let path: string;
let image: DryImage;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'maoga-image-'));
  chmodSync(folder, 0o755);
  const dockerfile = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
  const node = imageNode(dockerfile, join(folder, 'node'));
  path = [dirname(node), process.env['PATH'] ?? ''].join(delimiter);
  image = dryBuild(dockerfile, { project: ROOT, into: folder, path, buildArgs: { VERSION } });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('what the Dockerfile makes', () => {
  const app = () => join(image.root, 'app');

  it('is the built server with its migrations and licence, and nothing else', () => {
    expect(readdirSync(app()).sort()).toEqual(['LICENSE', 'dist', 'migrations', 'node_modules', 'package.json']);
    expect(readdirSync(join(app(), 'dist')).sort()).toEqual(['.tsbuildinfo', 'package.json', 'scripts', 'src']);
    expect(readdirSync(image.root)).toEqual(['app']);
  });

  it('holds no test, no setting and no key', () => {
    const ours = ['dist', 'migrations'].flatMap((part) =>
      readdirSync(join(app(), part), { recursive: true, encoding: 'utf8' }),
    );
    expect(ours.length).toBeGreaterThan(100);
    expect(ours.filter((file) => /\.test\.|testing|\.env|\.pem$|\.key$|secret(s)?\.json/.test(file))).toEqual([]);
  });

  it('holds the dependencies of production only', () => {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
      string,
      object
    >;
    const installed = (name: string) => existsSync(join(app(), 'node_modules', name, 'package.json'));
    expect(Object.keys(dependencies ?? {}).filter((name) => !installed(name))).toEqual([]);
    // others may be there because a dependency of production needs them
    const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>;
    };
    const onlyForDevelopment = Object.keys(devDependencies ?? {}).filter(
      (name) => packages[`node_modules/${name}`]?.dev,
    );
    expect(onlyForDevelopment.length).toBeGreaterThan(20);
    expect(onlyForDevelopment.filter(installed)).toEqual([]);
  });

  it('says what it is, in which version', () => {
    expect(image.labels).toMatchObject({
      'org.opencontainers.image.title': 'Maoga server',
      'org.opencontainers.image.version': VERSION,
      'org.opencontainers.image.licenses': 'MIT',
    });
  });

  it('starts by an init process, as a user of few rights', () => {
    expect([image.user, image.entrypoint]).toEqual(['node', ['/usr/bin/tini', '--']]);
    expect(image.systemPackages).toEqual(['tini']);
  });
});

describe('the server in it', () => {
  let database: Service;
  let redis: Service | undefined;
  beforeAll(async () => {
    [database, redis] = await Promise.all([startDatabase(), startRedis()]);
  });
  afterAll(async () => {
    await Promise.all([database.child.stop(), redis?.child.stop()]);
  });

  /** As the platform would set it; loopback, because this is not a container. */
  const settings = () => ({
    ...image.env,
    PATH: path,
    HOST: '127.0.0.1',
    METRICS_PORT: '0',
    MONGODB_URI: database.uri,
    REDIS_URL: redis?.uri ?? 'redis://127.0.0.1:1',
    PUBLIC_URL: 'https://play.example',
    JWT_SECRET: 'FqV3xw9Zt0bLh7Rk2mYp8JdNcU5eSgAo',
    JWT_REFRESH_SECRET: '4f1c9a7be2d80563719bfa02c6e8d354',
    DATA_SECRET: 'Zk3uQ8vR1nXs6WtY0aPd5HfJ2lGmCbEi',
    SMTP_URL: 'smtp://127.0.0.1:1',
    MAIL_FROM: 'Play <play@play.example>',
    // tini is no first process here, and is told to take care of orphans all the same
    TINI_SUBREAPER: '1',
  });

  /** Starts a command as the image would. `said` resolves with the first line that fits, and rejects when the process ends without. */
  async function start(command: string[], env: Record<string, string>) {
    const lines: string[] = [];
    const heard = new EventEmitter();
    const [program = '', ...args] = [...image.entrypoint, ...command];
    const child = await startChild({
      command: program,
      args,
      cwd: join(image.root, image.workdir),
      env,
      ...RIGHTS,
      onLine: (line) => void (lines.push(line), heard.emit('line', line)),
    });
    const said = (what: RegExp) =>
      new Promise<string>((resolve, reject) => {
        heard.on('line', (line: string) => what.test(line) && resolve(line));
        void child.exited.then((how) => reject(new Error(`${how}:\n${lines.join('\n')}`)));
      });
    return { child, lines, said };
  }

  it('names all that is missing, and ends', async () => {
    const { child, lines } = await start(image.command, { ...image.env, PATH: path });
    expect(await child.exited).toBe('ended with exit code 1');
    const required = ['MONGODB_URI', 'REDIS_URL', 'JWT_SECRET', 'JWT_REFRESH_SECRET', 'DATA_SECRET', 'PUBLIC_URL'];
    for (const name of [...required, 'SMTP_URL', 'MAIL_FROM'])
      expect(lines.join('\n')).toContain(`- ${name}: is required in production`);
  });

  it('migrates, serves, is found healthy, and stops when asked', async () => {
    const env = { ...settings(), PORT: String(await freePort()) };
    const migration = await start(['node', 'dist/scripts/migrate.js', 'up'], env);
    expect([await migration.child.exited, migration.lines.at(-1)]).toEqual([
      'ended with exit code 0',
      expect.stringMatching(/^Applied/),
    ]);
    const server = await start(image.command, env);
    await server.said(/is ready \(production\)/);
    await healthcheck(env);
    const url = `http://127.0.0.1:${env.PORT}`;
    expect((await request({ url }, 'GET', '/readyz')).body).toMatchObject({ checks: { database: 'up' } });
    const player = await registerPlayer({ url });
    expect((await player.get('/api/users/me')).status).toBe(200);
    // SIGTERM to the init process, as a platform stops a container
    expect(await server.child.stop()).toBe(true);
    await expect(healthcheck(env)).rejects.toMatchObject({ code: 1 });
  });

  function healthcheck(env: Record<string, string>) {
    const [program = '', ...args] = image.healthcheck;
    return promisify(execFile)(program, args, { env });
  }
});
