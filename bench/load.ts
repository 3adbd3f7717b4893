import { mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { possibleTotals, readCatalogue, type PlayableMode } from '../demo/catalogue';
import { inParallel } from '../demo/in-parallel';
import { readFlags, UsageError, wholeNumber } from '../demo/options';
import { registerPlayer, type Player } from '../demo/player';
import { createRest, type Rest } from '../demo/rest';
import { percentile } from '../demo/statistics';
import { startServers, type ServersUsage } from './load-servers';

/**
 * Load on a whole server in a process of its own, or on several behind a load balancer: tickets are submitted at a fixed rate over HTTP, whether the server keeps up or
 * not, each by another player, who waits on a socket to be told of a match. Times count from the moment at which a ticket was
 * due to be submitted, so that a server that falls behind shows it (no coordinated omission).
 */
const HELP = `
  npm run bench:load -- [options]

    --rate <n>      tickets per second, 1 to 2000            (default 100)
    --seconds <n>   for how long, 1 to 600                   (default 20)
    --game <slug>   a game with a mode of a fixed size       (default: the smallest such mode of the catalogue)
    --instances <n> that many servers, 1 to 8, with the database in a process of its own, Redis where it is
                    installed, and the load balancer of npm run cluster (default: one server with all inside)
    --memory        keep the data in memory only             (default: on disk, every answer durable)
    --json          one JSON document instead of a table

  Exit code 1 where a ticket was refused, not matched, or matched twice.
`;

interface LoadOptions {
  rate: number;
  seconds: number;
  game: string | undefined;
  instances: number | undefined;
  memory: boolean;
  json: boolean;
  help: boolean;
}

/** One ticket: moments in ms of the monotonic clock. */
interface Shot {
  player: Player;
  due: number;
  sent: number;
  acceptedAt: number | null;
  matchedAt: number | null;
  matches: Set<string>;
  refusal: string | null;
}

const SETTLE_MS = 60_000;
const REGISTERING_AT_ONCE = 16;

function loadOptions(args: readonly string[]): LoadOptions {
  const values = readFlags(args, {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    game: { type: 'string' },
    instances: { type: 'string' },
    memory: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return {
    rate: wholeNumber('rate', values['rate'], 1, 2000),
    seconds: wholeNumber('seconds', values['seconds'], 1, 600),
    game: typeof values['game'] === 'string' ? values['game'] : undefined,
    instances: values['instances'] === undefined ? undefined : wholeNumber('instances', values['instances'], 1, 8),
    memory: values['memory'] === true,
    json: values['json'] === true,
    help: values['help'] === true,
  };
}

/** A mode whose matches all have the same number of players and need no acceptance: every ticket can be matched. */
async function modeOf(rest: Rest, game: string | undefined): Promise<PlayableMode & { total: number }> {
  const fixed = (await readCatalogue(rest, game)).flatMap((mode) => {
    const [total, ...more] = possibleTotals(mode);
    const suits = total !== undefined && more.length === 0 && !mode.asksToAccept && mode.roles === null;
    return suits ? [{ ...mode, total }] : [];
  });
  const [smallest] = fixed.sort((a, b) => a.total - b.total);
  if (!smallest) throw new UsageError('No mode of a fixed size without acceptance and roles: take another --game.');
  return smallest;
}

async function arrive(url: string, rest: Rest, count: number): Promise<Shot[]> {
  const run = Date.now().toString(36);
  const shots: Shot[] = [];
  await inParallel(
    Array.from({ length: count }, (_, i) => `load_${run}_${i}`),
    REGISTERING_AT_ONCE,
    async (name, i) => {
      const player = await registerPlayer(rest, url, name);
      const shot: Shot = {
        player,
        due: 0,
        sent: 0,
        acceptedAt: null,
        matchedAt: null,
        matches: new Set(),
        refusal: null,
      };
      player.onEvent(({ name: event, payload }) => {
        if (event !== 'matchmaking:matched') return;
        shot.matchedAt ??= performance.now();
        shot.matches.add(payload.matchId);
      });
      await player.connect();
      shots[i] = shot;
    },
  );
  return shots;
}

/** Submits every ticket when it is due, and never waits for an answer before the next one. */
async function fire(shots: readonly Shot[], rate: number, mode: PlayableMode): Promise<void> {
  const body = { games: [{ gameId: mode.gameId, mode: mode.mode }], regions: [], languages: [] };
  const begun = performance.now();
  const answers: Promise<void>[] = [];
  for (const [i, shot] of shots.entries()) {
    shot.due = begun + (i * 1000) / rate;
    const early = shot.due - performance.now();
    if (early > 1) await delay(early);
    shot.sent = performance.now();
    answers.push(
      shot.player.call('POST', '/api/matchmaking/tickets', body).then(
        ({ status, body: answer }) => {
          if (status === 201) shot.acceptedAt = performance.now();
          else shot.refusal = `${status} ${answer?.code}`;
        },
        (error: Error) => void (shot.refusal = error.message),
      ),
    );
  }
  await Promise.all(answers);
}

/** Waits until every accepted ticket was matched, or nothing more has been for a while. */
async function settle(shots: readonly Shot[]): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while (performance.now() < until && shots.some((shot) => shot.acceptedAt !== null && shot.matchedAt === null))
    await delay(50);
}

const times = (shots: readonly Shot[], end: 'acceptedAt' | 'matchedAt'): number[] =>
  shots.flatMap((shot) => (shot[end] === null ? [] : [shot[end] - shot.due]));

const spread = (values: readonly number[]) => ({
  p50: rounded(percentile(values, 0.5)),
  p95: rounded(percentile(values, 0.95)),
  p99: rounded(percentile(values, 0.99)),
});

const rounded = (value: number | null, per = 10): number | null =>
  value === null ? null : Math.round(value * per) / per;

/** How many per second, from the first one due to the last one done. */
function perSecond(shots: readonly Shot[], end: 'acceptedAt' | 'matchedAt'): number | null {
  const done = shots.flatMap((shot) => shot[end] ?? []);
  const first = shots[0]?.due ?? 0;
  return done.length === 0 ? null : rounded((1000 * done.length) / (Math.max(...done) - first));
}

function report(shots: readonly Shot[], options: LoadOptions, mode: PlayableMode, database: string) {
  const refusals = shots.flatMap((shot) => shot.refusal ?? []);
  return {
    machine: `${cpus().length} x ${cpus()[0]?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB, Node ${process.version}`,
    instances: options.instances ?? 1,
    database,
    mode: `${mode.slug} ${mode.mode}`,
    offeredPerSecond: options.rate,
    tickets: shots.length,
    acceptedPerSecond: perSecond(shots, 'acceptedAt'),
    matchedPerSecond: perSecond(shots, 'matchedAt'),
    submitToAcceptedMs: spread(times(shots, 'acceptedAt')),
    submitToMatchedMs: spread(times(shots, 'matchedAt')),
    sentLateMs: spread(shots.map((shot) => Math.max(0, shot.sent - shot.due))),
    refused: refusals.length,
    refusals: [...new Set(refusals)],
    unmatched: shots.filter((shot) => shot.acceptedAt !== null && shot.matchedAt === null).length,
    doubled: shots.filter((shot) => shot.matches.size > 1).length,
  };
}

type Report = ReturnType<typeof report> & {
  serverCpuSeconds: number | null;
  serverCpuSecondsPer1000: number | null;
  databaseCpuSecondsPer1000: number | null;
  serverLoopDelayP99Ms: number | null;
  serverPeakRssMb: number;
};

function tableOf(result: Report): string {
  const word = (value: unknown): string =>
    typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, part]) => `${/^\d/.test(key) ? '' : `${key} `}${String(part)}`)
          .join('   ')
      : String(value);
  return `\n${Object.entries(result)
    .map(([name, value]) => `  ${name.padEnd(26)}${word(value)}`)
    .join('\n')}\n\n`;
}

function databaseCpuPer1000(before: ServersUsage, after: ServersUsage, tickets: number): number | null {
  const [from, to] = [before.databaseCpuSeconds, after.databaseCpuSeconds];
  return from === null || to === null ? null : rounded((1000 * (to - from)) / tickets, 100);
}

async function main(): Promise<number> {
  const options = loadOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const say = (text: string) => void (options.json || process.stdout.write(`  ${text}\n`));
  const directory = await mkdtemp(join(tmpdir(), 'maoga-load-'));
  const home = join(directory, 'home');
  const where = options.memory ? undefined : join(directory, 'data');
  const server = await startServers({ instances: options.instances, directory: where, home });
  const rest = createRest(server.url, 256);
  try {
    const mode = await modeOf(rest, options.game);
    const count = Math.ceil((options.rate * options.seconds) / mode.total) * mode.total;
    say(`registering and connecting ${count} players for ${mode.game} (${mode.mode})`);
    const shots = await arrive(server.url, rest, count);
    say(`submitting ${count} tickets, ${options.rate} per second`);
    const before = await server.usage();
    await fire(shots, options.rate, mode);
    await settle(shots);
    const after = await server.usage();
    for (const { player } of shots) player.drop();
    const result: Report = {
      ...report(shots, options, mode, server.database),
      serverCpuSeconds: rounded(after.cpuSeconds - before.cpuSeconds),
      serverCpuSecondsPer1000: rounded((1000 * (after.cpuSeconds - before.cpuSeconds)) / count, 100),
      databaseCpuSecondsPer1000: databaseCpuPer1000(before, after, count),
      serverLoopDelayP99Ms: rounded(after.loopDelayP99Ms),
      serverPeakRssMb: Math.round(after.peakRssBytes / 2 ** 20),
    };
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : tableOf(result));
    return result.refused + result.unmatched + result.doubled === 0 ? 0 : 1;
  } finally {
    rest.close();
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof UsageError;
    process.stderr.write(`${known ? error.message : `The benchmark could not run: ${(error as Error).stack}`}\n`);
    process.exitCode = 2;
  },
);
