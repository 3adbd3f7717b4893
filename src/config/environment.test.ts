import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEnvironment } from './environment';

describe('the environment', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'maoga-environment-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);

  it('is that of the process where there is no file', () => {
    expect(readEnvironment({ PORT: '1' }, folder)).toEqual({ PORT: '1' });
  });

  it('takes from .env what the process does not set', () => {
    write('.env', 'PORT=2\nHOST=0.0.0.0 # everywhere\n');
    expect(readEnvironment({ PORT: '1' }, folder)).toEqual({ PORT: '1', HOST: '0.0.0.0' });
  });

  it('prefers the file named after NODE_ENV, which is development unless it says otherwise', () => {
    write('.env', 'PORT=2\nDOCS=false');
    write('.env.development', 'PORT=3');
    write('.env.staging', 'PORT=4');
    expect(readEnvironment({}, folder)).toEqual({ PORT: '3', DOCS: 'false' });
    expect(readEnvironment({ NODE_ENV: 'staging' }, folder)).toMatchObject({ PORT: '4' });
  });

  it('reads no file in production', () => {
    write('.env', 'PORT=2');
    write('.env.production', 'PORT=3');
    expect(readEnvironment({ NODE_ENV: 'production' }, folder)).toEqual({ NODE_ENV: 'production' });
  });

  it('leaves the variables of the process as they are', () => {
    write('.env', 'PORT=2');
    const variables = {};
    readEnvironment(variables, folder);
    expect(variables).toEqual({});
  });
});
