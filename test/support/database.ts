import mongoose, { type Connection } from 'mongoose';
import { createLogger } from '../../src/core/logger';
import { migrateUp } from '../../src/database/migrations';
import { withDatabase } from '../../src/database/connect';
import { startEmbeddedMongo } from '../../src/embedded-mongo';

const opened: { connection: Connection; server: { stop(): Promise<void> } }[] = [];

/** A migrated database in memory for tests of services; ended after the file's tests. */
export async function testDatabase(): Promise<Connection> {
  const server = await startEmbeddedMongo({});
  const connection = await mongoose
    .createConnection(withDatabase(server.uri), { autoIndex: false, autoCreate: false })
    .asPromise();
  await migrateUp(connection, createLogger({ level: 'silent', pretty: false }));
  opened.push({ connection, server });
  return connection;
}

afterAll(async () => {
  for (const { connection, server } of opened.splice(0)) {
    await connection.close();
    await server.stop();
  }
});
