import { randomBytes, randomUUID } from 'node:crypto';
import { ObjectId } from 'bson';

/** Identifiers as a dependency, so that a test or a simulation can make them predictable. */
export interface Ids {
  /** 24 hex digits: a database id. */
  id(): string;
  /** A request or event id. */
  uuid(): string;
  /** `bytes` random bytes, base64url: a secret to hand out. */
  secret(bytes: number): string;
}

export const systemIds: Ids = {
  id: () => new ObjectId().toHexString(),
  uuid: () => randomUUID(),
  secret: (bytes) => randomBytes(bytes).toString('base64url'),
};
