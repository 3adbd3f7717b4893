import mongoose, { mongo, type Connection, type ConnectOptions } from 'mongoose';

/** Every query that a server sends to its database while a test uses it, and how the database answers it. */

export interface QueryPlan {
  /** Collection, command, and the fields and operators that are asked for, without the values. */
  shape: string;
  collection: string;
  /** Of its access paths: `COLLSCAN`, `IXSCAN`, `IDHACK`, … */
  stages: string[];
  /** Names of the indexes that are gone through with no bounds, from one end on. */
  unbounded: string[];
  /** Whether it ends after some documents, in the order of an index. */
  paged: boolean;
}

type Command = Record<string, unknown>;
type Plan = { stage: string; inputStage?: Plan; inputStages?: Plan[] } & Command;

/** Of a command, what asks for documents and in which order. */
const ASKS = ['filter', 'query', 'q', 'sort', 'hint', 'pipeline', 'limit', 'collation', 'key', 'projection'];
/** What belongs to the way that a command is sent. */
const SENDING = /^(\$|lsid$|txnNumber$|startTransaction$|autocommit$|writeConcern$|readConcern$|maxTimeMS$|stmtId)/;

/** Servers that are started from now on tell the database's driver to report what it sends. */
export function recordQueries(): { plans(database: Connection): Promise<QueryPlan[]> } {
  const recorded = new Map<string, Command>();
  const connect = mongoose.createConnection.bind(mongoose);
  jest.spyOn(mongoose, 'createConnection').mockImplementation((uri?: string, options?: ConnectOptions) => {
    const connection = connect(uri ?? '', { ...options, monitorCommands: true });
    connection.getClient().on('commandStarted', ({ command }) => {
      for (const query of queriesOf(command)) recorded.set(shapeOf(query), query);
    });
    return connection;
  });
  return {
    plans: (database) =>
      Promise.all([...recorded].sort().map(async ([shape, query]) => planOf(shape, query, database))),
  };
}

/** The queries in a command, each as a command of its own: a plan is made for one query. */
function queriesOf(command: Command): Command[] {
  const [name = ''] = Object.keys(command);
  const query = Object.fromEntries(Object.entries(command).filter(([field]) => !SENDING.test(field)));
  if (name === 'update' || name === 'delete') {
    const statements = command[`${name}s`] as Command[];
    return statements.map((statement) => ({ ...query, [`${name}s`]: [statement] }));
  }
  return ['find', 'aggregate', 'count', 'distinct', 'findAndModify'].includes(name) ? [query] : [];
}

function shapeOf(query: Command): string {
  const [name = ''] = Object.keys(query);
  const [statement = query] = (query['updates'] ?? query['deletes'] ?? []) as Command[];
  const asked = ASKS.filter((field) => field in statement).map((field) => {
    const value = statement[field];
    // the driver keeps the order of a sort in a map
    if (field === 'sort') return [field, value instanceof Map ? Object.fromEntries(value) : value];
    return [field, withoutValues(value)];
  });
  return `${String(query[name])}.${name} ${JSON.stringify(Object.fromEntries(asked))}`;
}

function withoutValues(value: unknown): unknown {
  if (Array.isArray(value)) return [...new Set(value.map((each) => JSON.stringify(withoutValues(each))))].map((each) => JSON.parse(each) as unknown); // prettier-ignore
  if (typeof value === 'boolean' || value === null) return value;
  if (typeof value !== 'object' || '_bsontype' in value || value instanceof Date || value instanceof RegExp) return '?';
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutValues(inner)]));
}

async function planOf(shape: string, query: Command, database: Connection): Promise<QueryPlan> {
  const [name = ''] = Object.keys(query);
  if (!database.db) throw new Error('not connected');
  // a plan for documents that are gone is the same plan
  const explained = await database.db.command({ explain: query, verbosity: 'queryPlanner' }).catch((error: unknown) => {
    throw new mongo.MongoError(`${shape} cannot be explained: ${String(error)}`);
  });
  const winning = (explained['queryPlanner'] ?? (explained['stages'] as Command[])[0]!['$cursor']) as Command;
  const nodes = flat((winning['winningPlan'] ?? (winning['queryPlanner'] as Command)['winningPlan']) as Plan);
  const leaves = nodes.filter(({ inputStage, inputStages }) => !inputStage && !inputStages);
  const stages = nodes.map(({ stage }) => stage);
  return {
    shape,
    collection: String(query[name]),
    stages: leaves.map(({ stage }) => stage),
    unbounded: leaves.filter(isUnbounded).map(({ indexName }) => String(indexName)),
    paged: (stages.includes('LIMIT') || name === 'findAndModify') && !stages.includes('SORT'),
  };
}

const flat = (plan: Plan): Plan[] => [
  plan,
  ...[plan.inputStage ?? [], plan.inputStages ?? []].flat().flatMap((inner) => flat(inner)),
];

/** As the embedded server says it, or as MongoDB does. */
function isUnbounded({ stage, boundedFields, indexBounds }: Plan): boolean {
  if (stage !== 'IXSCAN') return false;
  if (boundedFields !== undefined) return boundedFields === 0;
  const [first] = Object.values((indexBounds ?? {}) as Record<string, string[]>);
  return /^\[M(in|ax)Key, M(in|ax)Key\]$/.test(first?.[0] ?? '');
}
