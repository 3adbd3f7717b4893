import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { createAdapter } from '@socket.io/redis-adapter';
import { Redis } from 'ioredis';
import { Server } from 'socket.io';
import { userRoom } from '../../src/realtime/rooms';
import { registerPlayer, type Player, type PlayerSocket } from '../support/client';
import { PACE } from './support/chance';
import { report } from './support/verdict';
import { REDIS_IS_HERE, startWorld, type World } from './support/world';

/**
 * A client that has stopped to read is sent a great deal. It costs the server little, and not for long. What is sent comes from another
 * instance: this process, as far as Redis goes.
 */

const EMITS = 100_000;
const PADDING = 'x'.repeat(1_000);
/** How far the sender may be ahead of a client that reads. */
const AHEAD = 2_000;
const MOST_MORE_BYTES = 20 * 1024 * 1024;
/** What the kernel takes into its buffers on one side, at most. */
const kernelTakes = (side: 'tcp_rmem' | 'tcp_wmem'): number =>
  Number(/\d+\s*$/.exec(readFileSync(`/proc/sys/net/ipv4/${side}`, 'utf8'))?.[0]);
/** By then the server's own limit is passed, 1 MB, and the kernel's on both sides. */
const SURELY_TOO_MUCH = Math.ceil((kernelTakes('tcp_rmem') + kernelTakes('tcp_wmem') + 1024 * 1024) / PADDING.length);
const DROPPED_WITHIN_MS = 5_000;
const QUIET_MS = 2_000 * PACE;

let world: World;
let sender: Server;
let links: Redis[];
const withRedis = REDIS_IS_HERE ? test : test.skip;
if (!REDIS_IS_HERE) report('skipped', { reason: 'redis-server is not installed' });

beforeAll(async () => {
  world = await startWorld(1);
  links = REDIS_IS_HERE ? [new Redis(world.redis.uri), new Redis(world.redis.uri)] : [];
  sender = new Server();
  if (links.length > 0) sender.adapter(createAdapter(...(links as [Redis, Redis])));
});
afterAll(async () => {
  for (const link of links ?? []) link.disconnect();
  await world?.stop();
});

const memoryOf = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;

/** @returns ends it: who does not read does not notice that the server has hung up */
const stopReading = ({ socket }: PlayerSocket): (() => void) => {
  const { transport } = socket.io.engine as unknown as { transport: { ws: { _socket: Socket } } };
  const { _socket: wire } = transport.ws;
  wire.pause();
  return () => void wire.destroy();
};

const drops = () => world.log.filter((line) => line.includes('does not read')).length;

interface Flood {
  /** The most that the server held, bytes. */
  peak: number;
  /** From when there was surely too much waiting until the client was dropped, ms; null where nobody was. */
  droppedAfterMs: number | null;
}

/** Sends to a player who has two clients, of which at least one reads. */
async function flood(player: Player, reader: PlayerSocket): Promise<Flood> {
  const pid = world.members[0]!.instance!.child.pid;
  let heard = 0;
  let heardAt = Date.now();
  let peak = 0;
  let tooMuchAt: number | null = null;
  let droppedAt: number | null = null;
  const before = drops();
  reader.socket.on('flood', (flooded: { sent: number }) => {
    heard = flooded.sent + 1;
    heardAt = Date.now();
  });
  reader.socket.offAny();
  for (let sent = 0; heard < EMITS;) {
    while (sent < EMITS && sent - heard < AHEAD) {
      sender.to(userRoom(player.userId)).emit('flood', { sent, PADDING });
      sent += 1;
    }
    await delay(5);
    // what is sent while Redis is away is lost: the reader has heard of it all that will come
    if (Date.now() - heardAt > QUIET_MS) [heard, heardAt] = [sent, Date.now()];
    peak = Math.max(peak, memoryOf(pid));
    if (heard > SURELY_TOO_MUCH) tooMuchAt ??= Date.now();
    if (drops() > before) droppedAt ??= Date.now();
  }
  reader.socket.off('flood');
  for (const until = Date.now() + DROPPED_WITHIN_MS; tooMuchAt && !droppedAt && Date.now() < until; await delay(20))
    if (drops() > before) droppedAt = Date.now();
  return { peak, droppedAfterMs: droppedAt && Math.max(0, droppedAt - (tooMuchAt ?? 0)) };
}

withRedis(
  '100,000 events for a client that does not read cost the server at most 20 MB, and it is dropped within 5 s',
  async () => {
    const player = await registerPlayer(world);
    const [reader, other] = [await player.connect(), await player.connect()];
    other.socket.offAny();
    // the first one warms the server up
    await flood(player, reader);
    const reading = await flood(player, reader);
    expect(reading.droppedAfterMs).toBeNull();
    const hangUp = stopReading(other);
    const paused = await flood(player, reader);
    hangUp();
    const megabytes = (bytes: number) => Math.round(bytes / 1024 / 1024);
    report('a client that does not read, 100,000 events', {
      readingMB: megabytes(reading.peak),
      pausedMB: megabytes(paused.peak),
      droppedAfterMs: paused.droppedAfterMs,
    });
    expect(paused.droppedAfterMs).not.toBeNull();
    expect(paused.droppedAfterMs).toBeLessThan(DROPPED_WITHIN_MS * PACE);
    expect(paused.peak - reading.peak).toBeLessThan(MOST_MORE_BYTES);
  },
);

/** 20 and 30 s, looked at every 5; and some for a busy machine. */
const [HALF_A_HEAD_MS, HALF_A_BODY_MS] = [28_000 * PACE, 38_000 * PACE];

test('a request that does not come to its end is cut off', async () => {
  const { port } = world.members[0] as World['members'][number];
  const begun = performance.now();
  const cutOff = [
    'GET /health HTTP/1.1\r\nHost: x\r\n',
    'POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{',
  ];
  const lasted = await Promise.all(
    cutOff.map(async (text) => {
      const socket = connect(port, '127.0.0.1').resume();
      socket.write(text);
      await once(socket, 'close');
      return Math.round(performance.now() - begun);
    }),
  );
  report('half a head, half a body', { cutOffAfterMs: lasted });
  expect(lasted.every((ms, i) => ms < (i === 0 ? HALF_A_HEAD_MS : HALF_A_BODY_MS))).toBe(true);
});
