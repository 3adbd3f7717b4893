import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gte, minVersion, satisfies } from 'semver';

/** What package.json and package-lock.json promise. */

const ROOT = join(__dirname, '..');
const lockText = readFileSync(join(ROOT, 'package-lock.json'), 'utf8');
interface Locked {
  version?: string;
  integrity?: string;
  link?: boolean;
  dev?: boolean;
  license?: string;
  engines?: { node?: string };
  deprecated?: string;
}
const lock = JSON.parse(lockText) as {
  packages: Record<string, Locked>;
};
const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  engines: { node: string };
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

/** Every locked copy of a package, at any depth. */
const copiesOf = (name: string) =>
  Object.entries(lock.packages)
    .filter(([path]) => path === `node_modules/${name}` || path.endsWith(`/node_modules/${name}`))
    .map(([path, { version = '0.0.0' }]) => ({ path, version }));

describe('package-lock.json', () => {
  // below these, each has a fault that a client can use against this server
  it.each([
    ['socket.io-parser', '4.2.7'],
    ['engine.io', '6.6.10'],
    ['ws', '8.21.0'],
    ['mongoose', '9.1.6'],
    ['jsonwebtoken', '9.0.3'],
    ['express-rate-limit', '8.3.0'],
    ['qs', '6.16.0'],
  ])('locks no %s below %s', (name, floor) => {
    const copies = copiesOf(name);
    expect(copies).not.toEqual([]);
    expect(copies.filter(({ version }) => !gte(version, floor))).toEqual([]);
  });

  it('names no registry: everybody installs from their own', () => {
    expect(lockText).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
  });

  it('holds every package to its content', () => {
    const loose = Object.entries(lock.packages).filter(
      ([path, entry]) => path !== '' && !entry.link && !entry.integrity,
    );
    expect(loose.map(([path]) => path)).toEqual([]);
  });

  it('installs without a warning on the oldest Node that package.json allows', () => {
    const oldest = minVersion(manifest.engines.node)?.version ?? '';
    const warned = Object.entries(lock.packages).filter(
      ([, { engines, deprecated }]) => deprecated !== undefined || !satisfies(oldest, engines?.node ?? '*'),
    );
    expect(warned.map(([path]) => path)).toEqual([]);
  });

  it('belongs to package.json', () => {
    const { dependencies, devDependencies } = lock.packages[''] as typeof manifest;
    expect({ dependencies, devDependencies }).toEqual({
      dependencies: manifest.dependencies,
      devDependencies: manifest.devDependencies,
    });
  });
});

describe('package.json', () => {
  it('admits this version of Node, and none older than 20.19', () => {
    expect(satisfies(process.version, manifest.engines.node)).toBe(true);
    expect(minVersion(manifest.engines.node)?.version).toBe('20.19.0');
  });

  it('is installed as it is locked', () => {
    const differing = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).filter((name) => {
      const installed = JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
        version: string;
      };
      return installed.version !== lock.packages[`node_modules/${name}`]?.version;
    });
    expect(differing).toEqual([]);
  });
});

describe('licences', () => {
  /** They ask for no more than that their text goes along. */
  const FREE = [
    'MIT',
    'MIT-0',
    'ISC',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'Apache-2.0',
    'BlueOak-1.0.0',
    'BSL-1.0',
    'Unlicense',
  ];

  it('of what the image holds go with ours', () => {
    const shipped = Object.entries(lock.packages).filter(([path, { dev }]) => path !== '' && !dev);
    expect(shipped.length).toBeGreaterThan(100);
    const isFree = (license: string) =>
      license.split(' OR ').some((choice) => choice.split(' AND ').every((part) => FREE.includes(part)));
    const others = shipped.filter(([, { license = 'none' }]) => !isFree(license.replace(/[()]/g, '')));
    expect(others.map(([path, { license }]) => `${path}: ${license}`)).toEqual([]);
  });
});
