import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readEnvironment } from '../src/config/environment';
import { isStrict } from '../src/config/faults';
import { startCluster, type Cluster } from './cluster/cluster';

/** `npm run cluster -- 3`: several instances on this machine, to look at, to load and to break. */
const HELP = `
  npm run cluster -- [instances] [options]

  Starts that many instances (1 to 16, default 3), with a database, with Redis where redis-server is installed, and with a
  load balancer in front, and without limits on requests (RATE_LIMITS=true sets them). While it runs, type a command
  and Enter:

    kill 2      ends an instance at once, as a crash does          stop 2    asks it to stop, as a deployment does
    pause 2     freezes it                                         resume 2  lets it go on
    start 2     starts it again

    --port <n>    of the load balancer                     (default PORT, or 3000)
    --memory      keeps nothing                            (default: data in DATA_DIR/cluster, or .data/cluster)
    --help        this text

  Ctrl-C stops everything in order, a second one at once.
`;

const COMMANDS: Record<string, NodeJS.Signals> = { kill: 'SIGKILL', pause: 'SIGSTOP', resume: 'SIGCONT' };
const say = (text: string) => void process.stdout.write(`  ${text}\n`);

interface Options {
  instances: number;
  port: number;
  memory: boolean;
  help: boolean;
}

function optionsOf(args: string[], env: Record<string, string | undefined>): Options {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      memory: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const [instances = '3', ...more] = positionals;
  const port = values.port ?? env['PORT'] ?? '3000';
  if (!/^([1-9]|1[0-6])$/.test(instances) || more.length > 0)
    throw new Refusal('Say how many instances, 1 to 16: npm run cluster -- 3');
  if (!/^\d{1,5}$/.test(port) || Number(port) > 65_535) throw new Refusal(`--port must be 0 to 65535, not "${port}".`);
  return { instances: Number(instances), port: Number(port), memory: values.memory, help: values.help };
}

async function main(args: string[]): Promise<void> {
  const env = readEnvironment();
  const { instances, port, memory, help } = optionsOf(args, env);
  if (help) return void process.stdout.write(HELP);
  const data = join(env['DATA_DIR'] ?? '.data', 'cluster');
  say(`starting ${instances} instances …`);
  const cluster = await startCluster({
    instances,
    port,
    directory: memory ? undefined : join(data, 'database'),
    // all of them find the same secrets in the same folder
    env: { LOG_LEVEL: 'warn', ...limitsOff(env), ...env, DATA_DIR: data, METRICS_PORT: '' },
    onLine: (who, line) => void (isNews(line) && say(`[${who}] ${line}`)),
    onExit: (who, how, asked) =>
      say(asked ? `instance ${who} has stopped` : `instance ${who} ${how}: start ${who} brings it back`),
  });
  process.stdout.write(blockOf(cluster, memory ? 'in memory, nothing is kept' : `data in ${data}`));
  obey(cluster);
  await untilAsked(cluster);
}

/** Many players come from this one address. Staging and production insist on limits. */
const limitsOff = ({ NODE_ENV }: Record<string, string | undefined>): Record<string, string> =>
  isStrict(NODE_ENV) ? {} : { RATE_LIMITS: 'false' };

/** What an instance says of itself when it starts is said here for all. */
const isNews = (line: string): boolean => line.startsWith('{') || /error/i.test(line);

function blockOf({ url, database, redis, members }: Cluster, kept: string): string {
  const rows: [string, string][] = [
    ['API', `${url}/api   (Socket.IO on the same port)`],
    ['Docs', `${url}/docs`],
    ...members.map(({ name, url: own, instance }): [string, string] => [
      `Instance ${name}`,
      `${own}   pid ${instance?.child.pid ?? 'none'}`,
    ]),
    ['Database', `embedded MongoDB-compatible server (${kept})   pid ${database.child.pid}`],
    [
      'Redis',
      redis
        ? `${redis.uri}   pid ${redis.child.pid}`
        : 'none: redis-server is not installed; events stay in one instance',
    ],
    ['Try it', `npm run demo -- --url ${url}   (in another terminal)`],
    ['Break it', 'kill 2, stop 2, pause 2, resume 2, start 2 and Enter; Ctrl-C stops everything'],
    ['Check it', `MONGODB_URI='${database.uri}' npm run verify:invariants`],
  ];
  const lines = rows.map(([name, value]) => `    ${name.padEnd(12)}${value}`);
  return `\n  Maoga cluster is ready: ${members.length} instances\n\n${lines.join('\n')}\n\n`;
}

/** Commands typed by whoever tries it. */
function obey(cluster: Cluster): void {
  createInterface(process.stdin).on('line', (line) => {
    const [command = '', name = ''] = line.trim().split(/\s+/);
    if (command === '') return;
    const member = cluster.members.find((each) => each.name === name);
    const signal = COMMANDS[command];
    if (!member || !(signal || command === 'start' || command === 'stop'))
      return say(
        `kill, stop, pause, resume or start, and one of ${cluster.members.map((each) => each.name).join(', ')}`,
      );
    if (signal) return void (member.signal(signal) || say(`instance ${name} does not run`));
    const done = command === 'start' ? member.start().then(() => say(`instance ${name} is ready`)) : member.stop();
    done.catch((error: Error) => say(error.message));
  });
}

async function untilAsked(cluster: Cluster): Promise<void> {
  let asked = false;
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.on(signal, () => {
        if (asked) process.exit(1); // children go with it
        asked = true;
        say('stopping …');
        resolve();
      });
  });
  await cluster.stop();
  process.stdin.pause();
  say('stopped');
}

class Refusal extends Error {}

main(process.argv.slice(2)).then(
  () => process.exit(0),
  (error: unknown) => {
    const plain = error instanceof Refusal || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
    process.stderr.write(`${plain ? (error as Error).message : String((error as Error).stack ?? error)}\n`);
    process.exit(plain ? 2 : 1);
  },
);
