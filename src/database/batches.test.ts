import type { Connection } from 'mongoose';
import { testDatabase } from '../../test/support/database';
import { inBatches } from './batches';

const ROWS = 25;

let connection: Connection;
beforeAll(async () => {
  connection = await testDatabase();
  await connection
    .collection<{ _id: number }>('numbers')
    .insertMany(Array.from({ length: ROWS }, (_, i) => ({ _id: i, even: i % 2 === 0, text: 'long' })));
});

const read = (batchSize: number, filter: object = {}) =>
  inBatches<{ _id: number }>(connection, { collection: 'numbers', filter, projection: { text: 0 }, batchSize });

describe('many rows', () => {
  test.each([1, 7, ROWS - 1, ROWS, ROWS + 1])(
    'come once each, %i at a time, without what was not wanted',
    async (size) => {
      const rows: object[] = [];
      for await (const batch of read(size)) {
        expect(batch.length).toBeLessThanOrEqual(size);
        rows.push(...batch);
      }
      expect(rows).toEqual(Array.from({ length: ROWS }, (_, i) => ({ _id: i, even: i % 2 === 0 })));
    },
  );

  test('are those that were asked for, also where there are none', async () => {
    const all: number[] = [];
    for await (const batch of read(10, { even: true })) all.push(...batch.map(({ _id }) => _id));
    expect(all).toHaveLength(13);
    for await (const batch of read(10, { even: 'neither' })) expect(batch).toEqual([]);
  });

  test('are read on while the last ones are dealt with', async () => {
    const asked = jest.spyOn(connection.db!, 'command');
    const batches = read(10);
    await batches.next();
    expect(asked.mock.calls.map(([command]) => Object.keys(command as object)[0])).toEqual(['find', 'getMore']);
    asked.mockRestore();
    await batches.return(undefined);
  });

  test('leave nothing open for whoever stops in the middle', async () => {
    for await (const batch of read(10)) if (batch.length > 0) break;
    const { metrics } = await connection.db!.admin().serverStatus();
    expect(metrics.cursor.open.total).toBe(0);
  });

  test('fail as the database does', async () => {
    await expect(read(10, { $nothing: 1 }).next()).rejects.toThrow('$nothing');
  });
});
