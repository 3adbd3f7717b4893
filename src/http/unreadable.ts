import type { Duplex } from 'node:stream';
import { AppError, toProblem } from '../core/errors';
import type { Ids } from '../core/ids';

/**
 * Answers bytes that are not HTTP, or headers larger than Node takes (16 KB): what Node refuses before there is a request.
 * Listen with it to `clientError`. A client that is gone, or too slow, gets no answer.
 */
export function answerUnreadable(ids: Ids): (error: NodeJS.ErrnoException, socket: Duplex) => void {
  return (error, socket) => {
    if (!socket.writable || SILENT.has(error.code ?? '')) return void socket.destroy();
    const detail = 'The request could not be read as HTTP/1.1, or its headers are larger than 16 KB.';
    const problem = toProblem(new AppError('VALIDATION_FAILED', detail), ids.uuid());
    const body = JSON.stringify(problem);
    const head = [
      'HTTP/1.1 400 Bad Request',
      'Content-Type: application/problem+json; charset=utf-8',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Id: ${problem.requestId}`,
      'Connection: close',
    ];
    socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  };
}

const SILENT = new Set(['ECONNRESET', 'EPIPE', 'ERR_HTTP_REQUEST_TIMEOUT']);
