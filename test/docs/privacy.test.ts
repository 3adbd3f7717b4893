import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mongoose, { type Connection } from 'mongoose';
import { noteOf, type DataNote } from '../../src/database/personal-data';
import { startTestServer } from '../support/server';

/**
 * docs/privacy.md lists what is kept about people as the models say it. After a change of a note:
 * `UPDATE_DOCS=1 npx jest test/docs/privacy.test.ts`.
 */

const FILE = join(__dirname, '../../docs/privacy.md');
const BEGIN = '<!-- inventory: from the notes on the models -->\n';
const END = '<!-- end of the inventory -->';

const isPersonal = ({ owner, shared, tellsOf, passing }: DataNote) => Boolean(owner ?? shared ?? tellsOf ?? passing);

const exported = ({ owner, shared }: DataNote) => (owner || shared ? 'yes' : 'no');

function whenErased({ owner, shared, passing }: DataNote): string {
  if (shared) return 'stays, without the person';
  return owner || passing ? 'removed' : '';
}

describe('docs/privacy.md', () => {
  let models: Connection['models'];
  beforeAll(async () => {
    const before = new Set(mongoose.connections);
    await startTestServer();
    models = mongoose.connections.find((connection) => !before.has(connection))!.models;
  });

  const notes = () =>
    Object.values(models)
      .map((model) => [model.collection.name, noteOf(model)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1));

  it('has a note of every model to go by', () => {
    expect(notes().flatMap(([name, note]) => (note ? [] : [name]))).toEqual([]);
  });

  it('names fields in those notes that the models have', () => {
    const unknown = Object.values(models).flatMap((model) => {
      const { owner, shared, alsoIn = [], lines, hidden = [] } = noteOf(model) ?? ({} as DataNote);
      const fields = [
        ...(owner ? [owner] : []),
        ...(shared ? [shared] : []),
        ...alsoIn,
        ...(lines ? [lines.field] : []),
        ...hidden,
      ];
      return fields.filter((field) => !model.schema.path(field)).map((field) => `${model.collection.name}.${field}`);
    });
    expect(unknown).toEqual([]);
  });

  it('lists what is kept about people as the notes say', () => {
    const rows = notes().flatMap(([name, note]) =>
      note && isPersonal(note)
        ? [[`\`${name}\``, note.what, note.why, note.kept, exported(note), whenErased(note)]]
        : [],
    );
    const header = ['Where', 'What', 'Why', 'Kept', 'In the export', 'At an erasure'];
    const table = [header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
    const nobody = notes().flatMap(([name, note]) => (note && !isPersonal(note) ? [`\`${name}\``] : []));
    const inventory = `\n<!-- prettier-ignore -->\n${table}\n\nAbout nobody: ${nobody.join(', ')}.\n\n`;
    const text = readFileSync(FILE, 'utf8');
    const [before, rest = ''] = text.split(BEGIN);
    const written = `${before}${BEGIN}${inventory}${END}${rest.split(END)[1] ?? ''}`;
    if (process.env['UPDATE_DOCS']) writeFileSync(FILE, written);
    expect(readFileSync(FILE, 'utf8')).toBe(written);
  });
});
