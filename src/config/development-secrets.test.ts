import fs, { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config';
import { developmentSecrets } from './development-secrets';

describe('development secrets', () => {
  let folder: string;
  let dataDir: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maoga-secrets-'));
    dataDir = join(folder, 'data', 'here');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('are made once, and the same after a restart', () => {
    const first = developmentSecrets(dataDir);
    expect(developmentSecrets(dataDir)).toEqual(first);
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it('are the same for two processes that start at once, also where one comes while the other writes', () => {
    const write = fs.writeFileSync.bind(fs);
    let other: unknown;
    const slow = jest.spyOn(fs, 'writeFileSync').mockImplementationOnce((file, text, options) => {
      write(file, '', options);
      other = developmentSecrets(dataDir);
      write(file, text);
    });
    const mine = developmentSecrets(dataDir);
    slow.mockRestore();
    expect(other).toEqual(mine);
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it('are made on a file system without hard links, too', () => {
    const refused = jest.spyOn(fs, 'linkSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('operation not permitted, link'), { code: 'EPERM' });
    });
    const made = developmentSecrets(dataDir);
    refused.mockRestore();
    expect(developmentSecrets(dataDir)).toEqual(made);
    expect(readdirSync(dataDir)).toEqual(['secrets.json']);
  });

  it('are long, and differ from each other and from those of another folder', () => {
    const made = [developmentSecrets(dataDir), developmentSecrets(join(folder, 'other'))];
    const secrets = made.flatMap(({ jwtSecret, refreshSecret }) => [jwtSecret, refreshSecret]);
    expect(new Set(secrets).size).toBe(4);
    for (const secret of secrets) expect(secret.length).toBeGreaterThanOrEqual(64);
  });

  it('can be read by their owner only', () => {
    developmentSecrets(dataDir);
    expect((statSync(join(dataDir, 'secrets.json')).mode & 0o777).toString(8)).toBe('600');
    expect((statSync(dataDir).mode & 0o777).toString(8)).toBe('700');
  });

  it('are kept nowhere when nothing is to be kept', () => {
    expect(developmentSecrets(':memory:')).not.toEqual(developmentSecrets(':memory:'));
  });

  it.each(['', '{', '{}', '{"jwtSecret":"short","refreshSecret":"short"}'])(
    'that cannot be read (%j) are an error and stay as they are',
    (content) => {
      developmentSecrets(dataDir);
      const file = join(dataDir, 'secrets.json');
      writeFileSync(file, content);
      expect(() => developmentSecrets(dataDir)).toThrow(ConfigError);
      expect(readFileSync(file, 'utf8')).toBe(content);
    },
  );
});
