import { types } from 'node:util';
import { ConfigError } from './config/config';

/** Why a process cannot start, for whoever started it: what is wrong and what to do where that is known, else everything. */
export function startUpFailure(error: unknown): string {
  if (!types.isNativeError(error)) return String(error);
  const { code, port } = error as NodeJS.ErrnoException & { port?: number };
  if (error instanceof ConfigError || code === 'EBUSY') return error.message;
  if (code === 'EADDRINUSE') return `Port ${port} is taken: stop what listens there, or choose another port.`;
  if (code === 'EACCES' && port !== undefined)
    return `Port ${port} may not be used by this user: choose one above 1023.`;
  if (error.name === 'MongooseServerSelectionError')
    return `MongoDB does not answer (${error.message}): check MONGODB_URI, and that it runs as a replica set.`;
  return error.stack ?? error.message;
}
