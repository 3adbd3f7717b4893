import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type TlsOptions } from 'node:tls';
import { isOnPath } from '../../scripts/cluster/services';
import { walk } from '../../scripts/smoke/steps';
import { walkTls } from '../../scripts/smoke/tls';

/** What `npm run smoke` says of the end of TLS: against real ones that are well, and that are not for one reason. */

const withOpenssl = isOnPath('openssl') ? test : test.skip;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'maoga-tls-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function certificate(days: number): { key: Buffer; cert: Buffer } {
  const [key, cert] = [join(folder, `${days}.key`), join(folder, `${days}.crt`)];
  const made = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', `${days}`];
  execFileSync('openssl', [...made, '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'], {
    stdio: 'ignore',
  });
  return { key: readFileSync(key), cert: readFileSync(cert) };
}

/** What fails of the walk. */
async function failuresAt(days: number, options: TlsOptions = {}): Promise<string[]> {
  const server = createServer({ ...certificate(days), ...options }, (socket) =>
    socket.on('error', () => undefined).end(),
  );
  server.listen(0, 'localhost');
  await once(server, 'listening');
  const url = `https://localhost:${(server.address() as AddressInfo).port}`;
  try {
    return (
      await walk(
        (steps) => walkTls(steps, url),
        () => undefined,
      )
    ).failures;
  } finally {
    server.close();
    await once(server, 'close');
  }
}

withOpenssl('an end that speaks TLS 1.0 is named, before anything else', async () => {
  const old = { minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  expect(await failuresAt(90, old)).toEqual([
    expect.stringMatching(/older than 1\.2 is refused: TLSv1(\.1)? was accepted/),
  ]);
});

withOpenssl('a certificate that ends soon is named with its days', async () => {
  expect(await failuresAt(5)).toEqual([expect.stringMatching(/good for 14 days and more: it ends in [45] days/)]);
});

withOpenssl('one that is well passes', async () => {
  expect(await failuresAt(90)).toEqual([]);
});
