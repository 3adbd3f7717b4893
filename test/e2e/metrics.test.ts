import type { MaogaServer } from '../../src/server';
import { registerPlayer, request } from '../support/client';
import { addGame, connected, databaseOf, DUEL, matchUp, pulse, search } from '../support/matchmaking';
import { scrape, valueOf, type Sample } from '../support/prometheus';
import { startTestServer } from '../support/server';

/** What Prometheus is told of a server, and how little of it a client can make up. */

describe('metrics', () => {
  let server: MaogaServer;
  let gameId: string;
  beforeAll(async () => {
    server = await startTestServer({ runLoops: false, env: { METRICS_PORT: '0' } });
    gameId = await addGame(server, { duel: DUEL, other: DUEL });
  });

  test('tell of a match: its searches, its players, its lobby, the news of it, and the work behind it', async () => {
    await matchUp(server, gameId, 'duel', await connected(server, 2));
    const [waiting] = (await connected(server, 1)).players;
    await search(waiting!, gameId, 'other');
    await pulse(server);
    const told = await scrape(server);
    const expected: [string, Record<string, string>, number][] = [
      ['maoga_tickets', { state: 'queued' }, 1],
      ['maoga_tickets', { state: 'scheduled' }, 0],
      ['maoga_pool_tickets', { pool: `${gameId}:other` }, 1],
      ['maoga_match_wait_seconds_count', {}, 2],
      ['maoga_match_quality_count', {}, 1],
      ['maoga_lobbies', { state: 'forming' }, 1],
      ['maoga_events_told_total', { outbox: 'outbox', event: 'match.formed' }, 1],
      ['maoga_sockets', {}, 3],
      ['maoga_socket_connections_total', {}, 3],
      ['maoga_loop_duration_seconds_count', { loop: 'matchmaking', outcome: 'ok' }, 2],
      ['maoga_outbox_backlog', { outbox: 'outbox' }, 0],
      ['maoga_outbox_oldest_age_seconds', { outbox: 'outbox' }, 0],
      ['maoga_redis_state', { state: 'off' }, 1],
      ['maoga_redis_state', { state: 'away' }, 0],
      ['maoga_database_primary_known', {}, 1],
      ['maoga_database_checkouts_waiting', {}, 0],
    ];
    expect(expected.map(([name, labels]) => [name, labels, valueOf(told, name, labels)])).toEqual(expected);
    const some = [
      ['maoga_queue_oldest_wait_seconds', {}],
      ['maoga_socket_messages_total', { direction: 'in' }],
      ['maoga_socket_messages_total', { direction: 'out' }],
      [
        'maoga_http_request_duration_seconds_count',
        { route: '/api/matchmaking/tickets', method: 'POST', status: '201' },
      ],
      ['maoga_database_command_duration_seconds_count', { command: 'find', outcome: 'ok' }],
      ['maoga_database_command_duration_seconds_count', { command: 'commitTransaction', outcome: 'ok' }],
      ['maoga_database_checkout_duration_seconds_count', {}],
      ['maoga_database_connections', {}],
      ['maoga_leases_held', {}],
      ['maoga_event_delay_seconds_count', { outbox: 'outbox' }],
      ['nodejs_eventloop_lag_p99_seconds', {}],
      ['nodejs_heap_size_used_bytes', {}],
      ['nodejs_active_handles_total', {}],
      ['process_cpu_seconds_total', {}],
      ['process_resident_memory_bytes', {}],
    ] as const;
    expect(some.filter(([name, labels]) => !((valueOf(told, name, labels) ?? 0) > 0))).toEqual([]);
  });

  test('tell of news that nobody has told yet, and how old they are', async () => {
    const outbox = (await databaseOf(server)).collection('outbox');
    const [row] = await outbox.find().limit(1).toArray();
    const written = new Date(Date.now() - 90_000);
    const untold = { deliveredAt: null, claim: null, createdAt: written, notBefore: written };
    await outbox.updateOne({ _id: row!._id }, { $set: untold });
    const told = await scrape(server);
    expect(valueOf(told, 'maoga_outbox_backlog', { outbox: 'outbox' })).toBe(1);
    expect(valueOf(told, 'maoga_outbox_oldest_age_seconds', { outbox: 'outbox' })).toBeGreaterThan(85);
    await pulse(server);
    expect(valueOf(await scrape(server), 'maoga_outbox_backlog', { outbox: 'outbox' })).toBe(0);
  });

  test('time the events of clients by their name and outcome', async () => {
    const player = await registerPlayer(server);
    const socket = await player.connect();
    await socket.send('sync', {});
    await socket.send('lobby:subscribe', {});
    await socket.send('no-such-event', {});
    const told = await scrape(server);
    const ended = (event: string, outcome: string) =>
      valueOf(told, 'maoga_socket_event_duration_seconds_count', { event, outcome });
    expect([ended('sync', 'ok'), ended('lobby:subscribe', 'refused'), ended('unknown', 'refused')]).toEqual([1, 1, 1]);
    expect(valueOf(told, 'maoga_socket_refusals_total', { code: 'UNKNOWN_EVENT' })).toBe(1);
    socket.close();
  });

  test('gain no time series by what clients make up', async () => {
    const player = await registerPlayer(server);
    const socket = await player.connect();
    const badly = async (round: number) => {
      const made = `${round}-${Math.random()}`;
      const paths = [`/api/${made}`, `/api/games/${made}`, `/${made}`, `/livez?${made}`, `/docs/${made}`];
      for (const path of paths) for (const method of ['GET', 'PUT']) await request(server, method, path);
      await socket.send(`event-${made}`, { [made]: made });
      await player.post('/api/auth/login', { identifier: made, password: made });
    };
    const names = (samples: Sample[]) => samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`);
    await badly(0);
    for (const path of ['/livez', '/health']) await request(server, 'GET', path);
    const before = new Set(names(await scrape(server)));
    for (let round = 1; round <= 10; round++) await badly(round);
    for (const path of ['/LIVEZ', '/LivEz/', '/livez/', '/Health']) await request(server, 'GET', path);
    const after = names(await scrape(server));
    expect(after.filter((name) => !before.has(name))).toEqual([]);
    expect(after.length).toBeLessThan(3_000);
  });
});
