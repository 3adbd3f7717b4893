import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { possibleTotals, readCatalogue, type PlayableMode } from '../demo/catalogue';
import { readFlags, UsageError, wholeNumber } from '../demo/options';
import { createRest, type Rest } from '../demo/rest';
import { maxOpenFiles } from '../scripts/doctor/machine';
import { makePlayers, type Player } from './load/players';
import { createPosts } from './load/posts';
import { reportOf, tableOf, type Shot } from './load/report';
import { startServers } from './load/servers';

/**
 * Load on a whole server in a process of its own, or on several: tickets are submitted at a fixed rate over HTTP, whether the server
 * keeps up or not, each by another player, who waits on a socket to be told of a match. Times count from the moment at which a ticket
 * was due to be submitted, so that a server that falls behind shows it (no coordinated omission).
 */
const HELP = `
  npm run bench:load -- [options]

    --rate <n>      tickets per second, 1 to 2000            (default 100)
    --seconds <n>   for how long, 1 to 600                   (default 20)
    --warm-up <n>   seconds of the same before that, which are not counted (default 0)
    --game <slug>   a game with a mode of a fixed size       (default: the smallest such mode of the catalogue)
    --instances <n> that many servers, 1 to 8, with the database in a process of its own, and Redis where there are
                    several and it is installed; players are shared out over them (default: one server with all inside)
    --memory        keep the data in memory only             (default: on disk, every answer durable)
    --json          one JSON document instead of a table

  Exit code 1 where a ticket was refused, not matched, or matched twice.
`;

interface LoadOptions {
  rate: number;
  seconds: number;
  warmUp: number;
  game: string | undefined;
  instances: number | undefined;
  memory: boolean;
  json: boolean;
  help: boolean;
}

const SETTLE_MS = 60_000;
/** What a process has open besides the sockets of players. */
const OWN_FILES = 1000;

function loadOptions(args: readonly string[]): LoadOptions {
  const values = readFlags(args, {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    'warm-up': { type: 'string', default: '0' },
    game: { type: 'string' },
    instances: { type: 'string' },
    memory: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  });
  return {
    rate: wholeNumber('rate', values['rate'], 1, 2000),
    seconds: wholeNumber('seconds', values['seconds'], 1, 600),
    warmUp: wholeNumber('warm-up', values['warm-up'], 0, 600),
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

/** Whoever is matched is in that match from then on: each ticket is another player's, and each player an open file. */
function assertRoomFor(players: number): void {
  const room = maxOpenFiles() - OWN_FILES;
  if (players <= room) return;
  throw new UsageError(
    `${players} players are a connection each, and this process may open ${room} files for them: take fewer seconds, a lower rate, or raise the limit (ulimit -n).`,
  );
}

/** Submits every ticket when it is due, and never waits for an answer before the next one. */
async function fire(
  players: readonly Player[],
  urls: readonly string[],
  rate: number,
  mode: PlayableMode,
): Promise<Shot[]> {
  const body = JSON.stringify({
    games: [{ gameId: mode.gameId, mode: mode.mode }],
    regions: [],
    languages: [],
  });
  const posts = createPosts(urls);
  const begun = performance.now();
  const shots: Shot[] = [];
  const answers: Promise<void>[] = [];
  for (const [i, player] of players.entries()) {
    const due = begun + (i * 1000) / rate;
    const early = due - performance.now();
    if (early > 1) await delay(early);
    const shot = takeAim(player, due);
    shots.push(shot);
    answers.push(
      posts.post(i, '/api/matchmaking/tickets', player.token, body).then(
        ({ status, text }) => {
          if (status === 201) shot.acceptedAt = performance.now();
          else shot.refusal = `${status} ${text.slice(0, 200)}`;
        },
        (error: Error) => void (shot.refusal = error.message),
      ),
    );
  }
  await Promise.all(answers);
  await settle(shots);
  posts.close();
  return shots;
}

function takeAim(player: Player, due: number): Shot {
  const matches = new Set<string>();
  const shot: Shot = { due, sent: performance.now(), acceptedAt: null, matchedAt: null, matches, refusal: null };
  player.onMatched = (matchId) => {
    shot.matchedAt ??= performance.now();
    matches.add(matchId);
  };
  return shot;
}

/** Waits until every accepted ticket was matched, or nothing more has been for a while. */
async function settle(shots: readonly Shot[]): Promise<void> {
  const until = performance.now() + SETTLE_MS;
  while (performance.now() < until && shots.some((shot) => shot.acceptedAt !== null && shot.matchedAt === null))
    await delay(50);
}

const cpuSeconds = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1e6;
};

async function main(): Promise<number> {
  const options = loadOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const say = (text: string) => void (options.json || process.stdout.write(`  ${text}\n`));
  const { rate, seconds, warmUp } = options;
  const directory = await mkdtemp(join(tmpdir(), 'maoga-load-'));
  const home = join(directory, 'home');
  const where = options.memory ? undefined : join(directory, 'data');
  const servers = await startServers({ instances: options.instances, directory: where, home });
  const rest = createRest(servers.urls[0] ?? '');
  try {
    const mode = await modeOf(rest, options.game);
    const countOf = (time: number) => Math.ceil((rate * time) / mode.total) * mode.total;
    const count = countOf(seconds) + countOf(warmUp);
    assertRoomFor(count);
    say(`connecting ${count} players for ${mode.game} (${mode.mode})`);
    const players = await makePlayers({ ...servers, rest, count });
    const early = players.slice(0, countOf(warmUp));
    if (early.length > 0) say(`warming up with ${early.length} tickets, ${rate} per second`);
    await fire(early, servers.urls, rate, mode);
    say(`submitting ${countOf(seconds)} tickets, ${rate} per second`);
    const before = await servers.usage();
    const own = process.cpuUsage();
    const shots = await fire(players.slice(early.length), servers.urls, rate, mode);
    const playersCpuSeconds = cpuSeconds(own);
    const after = await servers.usage();
    say('measured');
    for (const player of players) player.drop();
    const result = reportOf({
      instances: servers.urls.length,
      database: servers.database,
      mode: `${mode.slug} ${mode.mode}`,
      offeredPerSecond: rate,
      shots,
      before,
      after,
      playersCpuSeconds,
    });
    process.stdout.write(options.json ? `${JSON.stringify(result, null, 2)}\n` : tableOf(result));
    return result.refused + result.unmatched + result.doubled === 0 ? 0 : 1;
  } finally {
    rest.close();
    await servers.stop();
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
