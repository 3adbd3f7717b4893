import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { keepNewest, nameAt, verified, type Place } from '../../scripts/backup/place';
import { findBackup } from '../../scripts/backup/places';
import { bucket } from '../../scripts/backup/s3';

/** Backups in a bucket: the AWS SDK speaks to a server on this machine that knows the five requests it makes. */

const objects = new Map<string, Buffer>();
const given = { ...process.env };
let server: Server;
let place: Place;

beforeAll(async () => {
  server = createServer((request, response) => {
    void answer(request).then(({ status = 200, body = '' }) => response.writeHead(status).end(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'someone',
    AWS_SECRET_ACCESS_KEY: 'something',
  });
  place = bucket('s3://vault/maoga/staging');
});
afterAll(async () => {
  place.close();
  process.env = given;
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

async function answer(request: IncomingMessage): Promise<{ status?: number; body?: Buffer | string }> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  const url = new URL(request.url ?? '', 'http://s3');
  const key = url.pathname.replace(/^\/vault\/?/, '');
  if (request.method === 'PUT') objects.set(key, Buffer.concat(parts));
  if (request.method === 'PUT') return {};
  if (request.method === 'GET' && key !== '') return found(key);
  if (request.method === 'GET') return { body: listed(url.searchParams.get('prefix') ?? '') };
  for (const [, gone = ''] of Buffer.concat(parts)
    .toString()
    .matchAll(/<Key>([^<]*)<\/Key>/g))
    objects.delete(gone);
  return { body: '<DeleteResult/>' };
}

function found(key: string) {
  const body = objects.get(key);
  return body ? { body } : { status: 404, body: '<Error><Code>NoSuchKey</Code></Error>' };
}

function listed(prefix: string): string {
  const keys = [...objects.keys()].filter((key) => key.startsWith(prefix));
  return `<ListBucketResult>${keys.map((key) => `<Contents><Key>${key}</Key></Contents>`).join('')}</ListBucketResult>`;
}

async function* bytes(text: string) {
  yield Buffer.from(text);
}

async function textOf(parts: AsyncIterable<Buffer>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part.toString();
  return text;
}

it('are written below the prefix, listed by age, read back against their checksum, and removed', async () => {
  for (const day of [2, 1, 3])
    expect(await place.write(nameAt(new Date(Date.UTC(2026, 0, day))), bytes(`day ${day}`))).toMatchObject({
      where: `s3://vault/maoga/staging/maoga-2026-01-0${day}T00-00-00-000Z.backup`,
      size: 5,
    });
  objects.set('maoga/staging/notes.txt', Buffer.from('not ours'));
  expect(await place.list()).toHaveLength(3);
  expect(await keepNewest(place, 1)).toHaveLength(2);
  expect([...objects.keys()].sort()).toEqual([
    'maoga/staging/maoga-2026-01-03T00-00-00-000Z.backup',
    'maoga/staging/maoga-2026-01-03T00-00-00-000Z.backup.sha256',
    'maoga/staging/notes.txt',
  ]);

  const { place: same, name } = await findBackup('s3://vault/maoga/staging');
  expect(await textOf(verified(same, name))).toBe('day 3');
  objects.set(`maoga/staging/${name}`, Buffer.from('day 4'));
  await expect(textOf(verified(same, name))).rejects.toThrow('not what its checksum says');
  objects.delete(`maoga/staging/${name}.sha256`);
  expect(await same.checksum(name)).toBeUndefined();
  same.close();
});
