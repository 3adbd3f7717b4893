import { createLogger } from '../../src/core/logger';
import { migrateUp } from '../../src/database/migrations';
import { startInProcessDatabase, type InProcessDatabase } from './database';
import { openGate, type Gate, type Tampering } from './gate';

/** What the runs of a test file share: one database, emptied before each, and one gate. */
export interface Ground {
  database: InProcessDatabase;
  gate: Gate;
  /** Of the run that comes. */
  tampering: Tampering;
}

const LOST_TRANSACTIONS_END_MS = 3_000;

/** There before the file's tests, and ended after them. */
export function prepareGround(): Ground {
  const ground = { tampering: {} } as Ground;
  beforeAll(async () => {
    ground.database = await startInProcessDatabase(LOST_TRANSACTIONS_END_MS);
    ground.gate = await openGate(ground.database, () => ground.tampering);
    await migrateUp(ground.gate.connection, createLogger({ level: 'silent', pretty: false }));
  });
  afterEach(() => {
    ground.tampering = {};
  });
  afterAll(async () => {
    await ground.gate.connection.close();
    await ground.database.stop();
  });
  return ground;
}
