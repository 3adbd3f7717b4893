import { createWriteStream, fstatSync, openSync } from 'node:fs';
import { once } from 'node:events';
import { ConfigError } from '../../../config/config';
import type { Logger } from '../../../core/logger';
import type { Operation } from './operations';
import type { OperationSink } from './recorder';

export interface Recording extends OperationSink {
  /** Writes what is still in memory, and closes the file. */
  stop(): Promise<void>;
}

/** More than this waiting to be written means that the disk does not keep up. */
const MOST_WAITING = 64 * 2 ** 20;

/**
 * A file that operations are appended to, without ever keeping the caller waiting. It ends, with a word in the log, when the file
 * has reached `maxBytes`, when the disk does not keep up, or when it cannot be written; the server goes on.
 * @throws ConfigError where the file cannot be opened
 */
export function openRecording(
  { file, maxBytes }: { file: string; maxBytes: number },
  logger: Logger,
  mostWaiting = MOST_WAITING,
): Recording {
  const fd = open(file);
  let bytes = fstatSync(fd).size;
  const stream = createWriteStream(file, { fd });
  // what a crash cut off must not run into what follows
  let recording = true;
  if (bytes > 0) stream.write('\n');
  logger.info({ file, maxBytes }, 'matchmaking is recorded');

  const end = (why: string, error?: Error) => {
    if (!recording) return;
    recording = false;
    stream.end(`${JSON.stringify({ op: 'full' } satisfies Operation)}\n`);
    logger.warn({ file, bytes, err: error }, `the recording of matchmaking has ended: ${why}`);
  };
  stream.on('error', (error) => end('the file cannot be written', error));

  return {
    write(operation) {
      if (!recording) return;
      const line = `${JSON.stringify(operation)}\n`;
      const size = Buffer.byteLength(line);
      if (bytes + size > maxBytes) return end('it has reached its limit (MATCHMAKING_RECORD_MB)');
      if (stream.writableLength + size > mostWaiting) return end('the disk does not keep up');
      bytes += size;
      stream.write(line);
    },
    async stop() {
      recording = false;
      if (!stream.writableEnded) stream.end();
      if (!stream.closed) await once(stream, 'close');
    },
  };
}

function open(file: string): number {
  try {
    return openSync(file, 'a');
  } catch (error) {
    throw new ConfigError(`MATCHMAKING_RECORD: ${file} cannot be written (${(error as Error).message})`);
  }
}
