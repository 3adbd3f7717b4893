import { once } from 'node:events';
import { request as rawRequest } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { problemSchema } from './openapi';
import { expectProblem, JSON_TYPE, startTestApp } from './testing/app';

const { send, url, port, lines } = startTestApp();

describe('bodies', () => {
  test('that fit are parsed, and answers hold what their schema names only', async () => {
    expect((await send('POST', '/api/echo', '{"line":"  hi "}')).body).toEqual({ line: 'hi' });
  });

  test.each([
    ['nothing', undefined, 'VALIDATION_FAILED'],
    ['an empty body', '', 'VALIDATION_FAILED'],
    ['a list', '[]', 'VALIDATION_FAILED'],
    ['a bare value', '"line"', 'MALFORMED_JSON'],
    ['half a document', '{"line":', 'MALFORMED_JSON'],
    ['something else', 'line=hi', 'MALFORMED_JSON'],
    ['a missing field', '{}', 'VALIDATION_FAILED'],
    ['an unknown field', '{"line":"hi","role":"admin"}', 'VALIDATION_FAILED'],
    ['a wrong type', '{"line":1}', 'VALIDATION_FAILED'],
    ['an operator', '{"line":{"$ne":""}}', 'VALIDATION_FAILED'],
    ['an operator as a field', '{"line":"hi","$where":"1"}', 'VALIDATION_FAILED'],
    ['too long a text', JSON.stringify({ line: 'x'.repeat(21) }), 'VALIDATION_FAILED'],
    ['nothing but spaces', '{"line":"   "}', 'VALIDATION_FAILED'],
    ['a control character', '{"line":"a\\u0000b"}', 'VALIDATION_FAILED'],
    ['half a character', '{"line":"\\ud800"}', 'VALIDATION_FAILED'],
    ['__proto__', '{"line":"hi","__proto__":{"admin":true}}', 'VALIDATION_FAILED'],
    ['constructor.prototype', '{"line":"hi","constructor":{"prototype":{"admin":true}}}', 'VALIDATION_FAILED'],
    ['50,000 lists in each other', `{"line":${'['.repeat(45_000)}${']'.repeat(45_000)}}`, 'VALIDATION_FAILED'],
    ['deep nesting that does not end', '['.repeat(90_000), 'MALFORMED_JSON'],
  ] as const)('%s is refused', async (_what, body, code) => {
    expectProblem(await send('POST', '/api/echo', body), code);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    expect(lines().filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('every fault is named with its place', async () => {
    const { body } = await send('POST', '/api/echo', '{"line":1,"note":"far too long","more":1}');
    expect(body.errors.map(({ path }: { path: string }) => path)).toEqual(['body.line', 'body.note', 'body']);
    expect(body.detail).toMatch(/^body\.line: .* \(and 2 more\)$/);
  });

  test('a body of nothing but faults gets a short answer', async () => {
    const many = JSON.stringify({ line: 'hi', list: Array.from({ length: 20_000 }, () => 'x') });
    const long = JSON.stringify({ line: 'hi', ['k'.repeat(90_000)]: 1 });
    for (const body of [many, long]) {
      const answer = await send('POST', '/api/echo', body);
      expectProblem(answer, 'VALIDATION_FAILED');
      expect(JSON.stringify(answer.body).length).toBeLessThan(8_000);
    }
  });

  test('bytes that are not UTF-8, and other encodings, are refused', async () => {
    const broken = new Uint8Array([...Buffer.from('{"line":"'), 0xc3, 0x28, ...Buffer.from('"}')]);
    expectProblem(await send('POST', '/api/echo', broken), 'MALFORMED_JSON');
    const utf16 = new Uint8Array(Buffer.from('{"line":"hi"}', 'utf16le'));
    const headers = { 'content-type': 'application/json; charset=utf-16le' };
    expectProblem(await send('POST', '/api/echo', utf16, headers), 'UNSUPPORTED_MEDIA_TYPE');
    const latin = { 'content-type': 'application/json; charset=iso-8859-1' };
    expectProblem(await send('POST', '/api/echo', '{"line":"hi"}', latin), 'UNSUPPORTED_MEDIA_TYPE');
  });

  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    '',
  ])('a body of the type "%s" is refused', async (type) => {
    expectProblem(await send('POST', '/api/echo', '{"line":"hi"}', { 'content-type': type }), 'UNSUPPORTED_MEDIA_TYPE');
  });

  test('more than 100 KB is too large, also when it comes compressed or without a length', async () => {
    expectProblem(
      await send('POST', '/api/echo', JSON.stringify({ line: 'x'.repeat(101 * 1024) })),
      'PAYLOAD_TOO_LARGE',
    );
    const bomb = new Uint8Array(gzipSync(JSON.stringify({ line: 'x'.repeat(10_000_000) })));
    expect(bomb.length).toBeLessThan(100_000);
    expectProblem(await send('POST', '/api/echo', bomb, { 'content-encoding': 'gzip' }), 'PAYLOAD_TOO_LARGE');
    const chunked = rawRequest(`${url()}/api/echo`, { method: 'POST', headers: JSON_TYPE });
    chunked.on('error', () => undefined);
    chunked.write(`{"line":"${'x'.repeat(60_000)}`);
    chunked.end(`${'x'.repeat(60_000)}"}`);
    const [response] = (await once(chunked, 'response')) as [{ statusCode: number; resume(): void }];
    response.resume();
    expect(response.statusCode).toBe(413);
  });

  test('a compressed body is read, a broken one refused', async () => {
    const packed = new Uint8Array(gzipSync('{"line":"hi"}'));
    expect((await send('POST', '/api/echo', packed, { 'content-encoding': 'gzip' })).body).toEqual({ line: 'hi' });
    const broken = packed.map((byte, i) => (i > 10 ? byte ^ 0xff : byte));
    expectProblem(await send('POST', '/api/echo', broken, { 'content-encoding': 'gzip' }), 'VALIDATION_FAILED');
    expectProblem(await send('POST', '/api/echo', packed, { 'content-encoding': 'zip' }), 'UNSUPPORTED_MEDIA_TYPE');
  });
});

describe('what is no HTTP', () => {
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect(port(), '127.0.0.1');
    socket.write(bytes);
    let answer = '';
    for await (const chunk of socket) answer += String(chunk);
    return answer;
  };

  test.each([
    ['junk', '\u0000\u0001junk\r\n\r\n'],
    ['a header that is too large', `GET / HTTP/1.1\r\nHost: x\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`],
    ['two lengths', 'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    [
      'a length and chunks',
      'POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])('%s is answered by a problem document, and the connection closed', async (_what, bytes) => {
    const [head = '', body = ''] = (await exchange(bytes)).split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*Connection: close/is);
    expect(problemSchema.parse(JSON.parse(body)).code).toBe('VALIDATION_FAILED');
  });
});
