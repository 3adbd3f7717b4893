import mongoose, { type Connection } from 'mongoose';
import { createLogger } from '../../src/core/logger';
import { migrateUp } from '../../src/database/migrations';
import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';

/** A migrated database in memory for tests of services; ended after the file's tests. */
export async function testDatabase(): Promise<Connection> {
  const server = await startEmbeddedMongo({});
  const connection = await mongoose
    .createConnection(withDatabase(server.uri), { autoIndex: false, autoCreate: false })
    .asPromise();
  await migrateUp(connection, createLogger({ level: 'silent', pretty: false }));
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });
  return connection;
}
