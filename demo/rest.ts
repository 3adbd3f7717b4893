import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as HttpsAgent } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';

export interface Answer {
  status: number;
  /** Parsed JSON, or undefined. */
  // eslint-disable-next-line @typescript-eslint/no-explicit-any
  body: any;
  /** Seconds, where the server asked for patience. */
  retryAfter: number | undefined;
}

export interface Call {
  method: string;
  path: string;
  token?: string | undefined;
  body?: unknown;
  headers?: Record<string, string>;
}

/** A small JSON client over kept-alive connections. */
export interface Rest {
  /** One request, answered whatever the status. @throws only where no answer came */
  once(call: Call): Promise<Answer>;
  /** As `once`, but waits and tries again as long as the server says 429 with `Retry-After`. */
  patient(call: Call): Promise<Answer>;
  /**
   * As `patient`, and again where nobody could say what became of it: 502, 503, 504, or a connection that broke. Whoever `repeated`
   * it may have had it done before. @throws where there was no answer for a minute
   */
  insist(call: Call): Promise<Answer & { repeated: boolean }>;
  /** How often nobody could say what became of a request. */
  readonly unanswered: { times: number };
  /** How often it was told to wait, and until when (ms since the epoch) the longest pause lasts. */
  readonly limited: { times: number; until: number };
  close(): void;
}

const TIMEOUT_MS = 30_000;
const MOST_TRIES = 50;
const INSIST_MS = 60_000;
const NO_ANSWER: readonly number[] = [502, 503, 504];

export function createRest(baseUrl: string, maxSockets = 64): Rest {
  const secure = baseUrl.startsWith('https:');
  const agent = secure ? new HttpsAgent({ keepAlive: true, maxSockets }) : new Agent({ keepAlive: true, maxSockets });
  const open = secure ? httpsRequest : httpRequest;
  const limited = { times: 0, until: 0 };
  const unanswered = { times: 0 };

  const once: Rest['once'] = ({ method, path, token, body, headers }) =>
    new Promise((resolve, reject) => {
      const text = body === undefined ? undefined : JSON.stringify(body);
      const request = open(baseUrl + path, {
        method,
        agent,
        timeout: TIMEOUT_MS,
        headers: {
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...(text === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(text)) }),
          ...headers,
        },
      });
      request.once('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in ${TIMEOUT_MS} ms`)));
      request.once('error', reject);
      request.once('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () => {
          const wait = Number(response.headers['retry-after']);
          resolve({
            status: response.statusCode ?? 0,
            body: parse(Buffer.concat(chunks).toString('utf8')),
            retryAfter: Number.isFinite(wait) ? wait : undefined,
          });
        });
      });
      request.end(text);
    });

  const patient: Rest['patient'] = async (call) => {
    for (let tries = 1; ; tries++) {
      const answer = await once(call);
      if (answer.status !== 429 || tries === MOST_TRIES) return answer;
      const seconds = answer.retryAfter ?? 1;
      limited.times += 1;
      limited.until = Math.max(limited.until, Date.now() + seconds * 1000);
      // not all of the waiting ones in the same moment
      await delay(seconds * 1000 + Math.random() * 1000);
    }
  };

  return {
    once,
    patient,
    async insist(call) {
      for (let firstAt: number | null = null; ;) {
        const answer = await patient(call).catch((error: Error) => error);
        const isAnswer = !(answer instanceof Error) && !NO_ANSWER.includes(answer.status);
        if (isAnswer) return { ...answer, repeated: firstAt !== null };
        unanswered.times += 1;
        firstAt ??= Date.now();
        const last = answer instanceof Error ? answer.message : answer.status;
        if (Date.now() - firstAt > INSIST_MS)
          throw new Error(`${call.method} ${call.path}: no answer for a minute, at last ${last}`);
        await soon();
      }
    },
    unanswered,
    limited,
    close: () => agent.destroy(),
  };
}

/** Before something is tried again; not all of them in the same moment. */
export const soon = (): Promise<void> => delay(100 + Math.random() * 300);

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
