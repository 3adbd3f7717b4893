/** What a command is: how it is declared in the tables beside it, and what it is given when it runs (run-command.ts). */
import { type Doc } from '../values/bson-types';
import { type Args } from './command-args';
import { type Cursors } from './cursors';
import { MongoError } from '../errors';
import { type Session, type Sessions } from './sessions';
import { type Snapshots } from './snapshots';
import { type Store } from '../storage/store';
import { type View, type Writer } from '../storage/versions';

/** What the commands of all connections share. */
export interface Server {
  store: Store;
  cursors: Cursors;
  sessions: Sessions;
  /** Seconds and milliseconds that `setParameter` may change. */
  parameters: Record<string, number | boolean>;
  /** Takes note of changed parameters. */
  parametersChanged(): void;
  failPoints: Map<string, FailPoint>;
  snapshots: Snapshots;
  /** `host:port`. */
  address: string;
  startedAt: number;
}

/** Commands that are to fail (fail-point.ts). */
export interface FailPoint {
  data: Doc;
  /** How many it lets pass first, and how many it then strikes. */
  skip: number;
  times: number;
}

export interface Context {
  server: Server;
  connectionId: number;
  /** What the client calls itself. */
  appName: string | undefined;
  db: string;
  command: Doc;
  args: Args;
  /** What reads see: a transaction's snapshot, or what is committed (and written by this command). */
  view: View;
  /** Given to commands that write. */
  writer: Writer | undefined;
  session: Session | undefined;
  inTransaction: boolean;
  now: Date;
  /** By `maxTimeMS`. */
  deadline: number | undefined;
}

export interface Command {
  /** Answers in one go; whatever it throws undoes all that it wrote. A promise only for what has to wait for the disk. */
  run(this: void, context: Context): Doc | Promise<Doc>;
  /** The fields that it understands, besides those common to all commands. */
  fields: string[];
  /** Fields that MongoDB understands and this server refuses. */
  refused?: string[];
  writes?: boolean | ((command: Doc) => boolean);
  /** May be used in transactions. */
  transactional?: boolean;
  /** May be sent again under the same number. */
  retryable?: boolean;
  /** Reads at a snapshot, also outside of transactions. */
  snapshots?: boolean;
  /** On the database `admin` only. */
  admin?: boolean;
}

export type Commands = Record<string, Command>;

export const words = (text: string): string[] => text.split(/\s+/).filter(Boolean);

export function writerOf({ writer }: Context): Writer {
  if (!writer) throw new MongoError(1, 'a command that writes has no writer');
  return writer;
}

export const namespaceOf = (context: Context, name: string): string => `${context.db}.${name}`;
