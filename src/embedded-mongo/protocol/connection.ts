/** One client's socket: messages are answered one after the other, and no further one is looked at while the client does not take its answers. */
import { type Socket } from 'node:net';
import { Double } from 'bson';
import { int, type Doc } from '../values/bson-types';
import { tooLarge } from '../values/bson-decode';
import { type Server } from '../commands/command';
import { MongoError } from '../errors';
import { runCommand } from '../commands/run-command';
import { encodeReply, MessageCutter, type Message } from './wire';
import { MAX_MESSAGE } from '../limits';

let connections = 0;

export function serveConnection(socket: Socket, server: Server): void {
  const connection = { server, id: ++connections };
  const cutter = new MessageCutter();
  let busy = false;
  socket.setNoDelay(true);
  // a client that goes away in the middle is nothing to report
  socket.on('error', () => socket.destroy());
  socket.on('data', (chunk) => {
    cutter.push(chunk);
    if (busy && cutter.buffered > MAX_MESSAGE) socket.pause();
    if (!busy) void work();
  });

  async function work(): Promise<void> {
    busy = true;
    try {
      for (let message = cutter.next(); message && !socket.destroyed; message = cutter.next()) await answer(message);
      busy = false;
      socket.resume();
    } catch {
      // malformed: there is no telling where the next message begins
      socket.destroy();
    }
  }

  async function answer(message: Message): Promise<void> {
    const reply = await runMessage(message);
    if (message.silent || socket.destroyed) return;
    if (!socket.write(encoded(message, reply))) await taken(socket);
  }

  async function runMessage(message: Message): Promise<Doc> {
    let command: Doc;
    try {
      command = message.command();
    } catch (error) {
      if (!(error instanceof MongoError)) throw error;
      const failed = { ok: new Double(0), errmsg: error.message, code: int(error.code), codeName: error.codeName };
      return message.legacy ? { $err: error.message, ...failed } : failed;
    }
    return runCommand(connection, command);
  }
}

/** A reply that no message can hold becomes an error. */
function encoded(message: Message, reply: Doc): Buffer {
  try {
    return encodeReply(message, reply);
  } catch {
    const { code, codeName } = tooLarge(0);
    return encodeReply(message, {
      ok: new Double(0),
      errmsg: 'the reply is larger than 16 MB',
      code: int(code),
      codeName,
    });
  }
}

/** Resolves when the socket has handed on what was written to it, or is closed. */
function taken(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
  });
}
