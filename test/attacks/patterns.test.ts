import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { FROM_SOURCE } from '../support/command';
import { request } from '../support/client';
import { startTestServer } from '../support/server';

/** No regular expression can be made to take long: each is proved to be linear by recheck, or stands here with the reason. */
const REASONS = {
  'http/origin.ts: /\\d+$/ is vulnerable': 'only sees what is an IPv4 address: at most 15 characters',
};

/** Every pattern in a document. */
const patternsIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        key === 'pattern' && typeof inner === 'string' ? [inner] : patternsIn(inner),
      );

test('every pattern takes linear time, whatever it is given', async () => {
  const server = await startTestServer();
  const { body: openApi } = await request(server, 'GET', '/openapi.json');
  const { body: asyncApi } = await request(server, 'GET', '/asyncapi.json');
  const paths = server.routes.map(({ path }) => `^${path.replaceAll(/:[a-zA-Z]+/g, '[^/]+')}/?$`);
  const patterns = [...new Set([...patternsIn(openApi), ...patternsIn(asyncApi), ...paths])];
  const { looked, doubtful } = await new Promise<{ looked: number; doubtful: string[] }>((resolve, reject) => {
    const args = [...FROM_SOURCE, join(__dirname, 'check-patterns.ts')];
    const child = execFile(process.execPath, args, { cwd: join(__dirname, '../..') }, (error, said, complained) =>
      error ? reject(new Error(complained)) : resolve(JSON.parse(said)),
    );
    child.stdin?.end(JSON.stringify(patterns));
  });
  expect(looked).toBeGreaterThan(60);
  expect(doubtful).toEqual(Object.keys(REASONS));
}, 300_000);
