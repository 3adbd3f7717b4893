import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { expectThat, type Walk } from './steps';

const DAY_MS = 86_400_000;
/** Certificates are renewed a month before their end; one that has less than this was not. */
const DAYS_LEFT = 14;

/** What the end of TLS speaks, and for how long it may. Whether its certificate is to be trusted every other step finds out. */
export async function walkTls({ step }: Walk, url: string): Promise<void> {
  const { hostname: host, port } = new URL(url);
  const at = { host, port: Number(port === '' ? 443 : port), servername: host };

  await step('TLS older than 1.2 is refused', async () => {
    // what Node itself would no longer speak
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const spoken = await handshake({ ...at, ...old }).catch(() => undefined);
    expectThat(spoken === undefined, `${spoken?.protocol} was accepted`);
  });

  await step(`the certificate is good for ${DAYS_LEFT} days and more`, async () => {
    const { ends } = await handshake(at);
    const days = Math.floor((Date.parse(ends) - Date.now()) / DAY_MS);
    expectThat(days >= DAYS_LEFT, `it ends in ${days} days, on ${ends}`);
  });
}

async function handshake(options: ConnectionOptions): Promise<{ protocol: string | null; ends: string }> {
  const socket = connect({ timeout: 5000, rejectUnauthorized: false, ...options });
  socket.once('timeout', () => socket.destroy(new Error('no handshake within 5 s')));
  try {
    await once(socket, 'secureConnect');
    return { protocol: socket.getProtocol(), ends: socket.getPeerCertificate().valid_to };
  } finally {
    socket.destroy();
  }
}
