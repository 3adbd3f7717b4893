import { testDatabase } from '../../test/support/database';
import { createTransact } from './transaction';

test('gives up on what a transaction of a dead process has locked, and says so', async () => {
  const connection = await testDatabase();
  const things = connection.collection<{ n: number }>('things');
  const { insertedId } = await things.insertOne({ n: 0 });
  const change = { $inc: { n: 1 } };
  const dead = await connection.startSession();
  dead.startTransaction();
  await things.updateOne({ _id: insertedId }, change, { session: dead });

  const transact = createTransact(connection, 200);
  const blocked = transact((session) => things.updateOne({ _id: insertedId }, change, { session }));
  await expect(blocked).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfter: 2 });

  await dead.abortTransaction();
  await dead.endSession();
  await transact((session) => things.updateOne({ _id: insertedId }, change, { session }));
  expect(await things.findOne()).toMatchObject({ n: 1 });
});
