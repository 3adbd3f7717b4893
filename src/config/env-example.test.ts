import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { environmentSchema } from './schema';

const text = readFileSync(join(__dirname, '../../.env.example'), 'utf8');
const example = parseEnv(text);
const set = Object.fromEntries(Object.entries(example).filter(([, value]) => value !== ''));

describe('.env.example', () => {
  it('names every variable of the schema, and no other', () => {
    expect(Object.keys(example).sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });

  it('names each once', () => {
    const names = [...text.matchAll(/^([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(names).toHaveLength(new Set(names).size);
  });

  it('shows the defaults as they are', () => {
    const defaults = environmentSchema.parse({});
    expect(environmentSchema.parse(set)).toEqual(defaults);
    const withDefault = Object.entries(defaults).filter(
      ([, value]) => value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0),
    );
    expect(Object.keys(set).sort()).toEqual(withDefault.map(([name]) => name).sort());
  });

  it('explains each in the lines above it', () => {
    const explained = [...text.matchAll(/^# [^-\n].*\n([A-Z_]+)=/gm)].map(([, name]) => name);
    expect(explained.sort()).toEqual(Object.keys(example).sort());
  });
});
