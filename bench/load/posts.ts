import { connect, type Socket } from 'node:net';

/**
 * POSTs over kept-alive connections, as cheap as they can be: whoever makes the load shares the machine with what is measured,
 * and a full HTTP client costs as much as a server. Understands answers with a `Content-Length`, as the API gives them.
 */
export interface Posts {
  /** @param index which server, of several @throws where no answer came */
  post(index: number, path: string, token: string, body: string): Promise<Answer>;
  close(): void;
}

export interface Answer {
  status: number;
  text: string;
}

const HEAD_END = '\r\n\r\n';
const LENGTH = /\r\ncontent-length: (\d+)/i;

export function createPosts(urls: readonly string[]): Posts {
  const servers = urls.map((url) => ({ host: new URL(url).host, ...addressIn(url), idle: [] as Line[] }));
  const lines = new Set<Line>();
  return {
    async post(index, path, token, body) {
      const server = servers[index % servers.length];
      if (!server) throw new Error('there is a server');
      const line = server.idle.pop() ?? openLine(server.port, server.hostname);
      lines.add(line);
      const head = `POST ${path} HTTP/1.1\r\nHost: ${server.host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}`;
      try {
        const answer = await line.ask(head + HEAD_END + body);
        server.idle.push(line);
        return answer;
      } catch (error) {
        lines.delete(line);
        throw error;
      }
    },
    close: () => lines.forEach((line) => line.close()),
  };
}

const addressIn = (url: string) => {
  const { hostname, port } = new URL(url);
  return { hostname, port: Number(port) };
};

interface Line {
  ask(request: string): Promise<Answer>;
  close(): void;
}

/** One connection: one request at a time. */
function openLine(port: number, hostname: string): Line {
  const socket: Socket = connect(port, hostname).setNoDelay(true).setEncoding('utf8');
  let heard = '';
  let waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  const fail = (error: Error) => waiting?.reject(error);
  socket.on('error', fail).on('close', () => fail(new Error('the connection was closed')));
  socket.on('data', (text: string) => {
    heard += text;
    const answer = answerIn(heard);
    if (!answer) return;
    heard = '';
    waiting?.resolve(answer);
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => void socket.destroy(),
  };
}

/** Nothing while there is more to come. */
function answerIn(heard: string): Answer | undefined {
  const head = heard.indexOf(HEAD_END);
  if (head < 0) return undefined;
  const text = heard.slice(head + HEAD_END.length);
  const length = Number(LENGTH.exec(heard.slice(0, head))?.[1] ?? 0);
  return Buffer.byteLength(text) < length ? undefined : { status: Number(heard.slice(9, 12)), text };
}
