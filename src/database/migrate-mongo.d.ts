/** The part of migrate-mongo's API that is used here: the package brings no types. */
declare module 'migrate-mongo' {
  import type { mongo } from 'mongoose';

  interface MigrationStatus {
    fileName: string;
    /** ISO time, or `PENDING`. */
    appliedAt: string;
  }

  export const config: { set(options: Record<string, unknown>): void };
  export function up(db: mongo.Db, client: mongo.MongoClient): Promise<string[]>;
  export function down(db: mongo.Db, client: mongo.MongoClient): Promise<string[]>;
  export function status(db: mongo.Db): Promise<MigrationStatus[]>;
}
