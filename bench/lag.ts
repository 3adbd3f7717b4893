import { cpus, loadavg } from 'node:os';
import { pino } from 'pino';
import { Engine } from '../src/modules/matchmaking/engine';
import type { TicketModel } from '../src/modules/matchmaking/matchmaking.models';
import { poolOf } from '../src/modules/matchmaking/matchmaking.policy';
import { createPools, SEED } from '../src/modules/matchmaking/pools';
import { createSearchRound } from '../src/modules/matchmaking/search-round';
import { lagOf, type Lag } from './lag/measure';
import { rowOf } from './lag/rows';
import { fives, NOW, sparse, ticketsOf, type Workload } from './engine-workloads';

/**
 * How long everything else in the process waits while a large pool is being matched: `npm run bench:lag -- [--tickets 100000]`. The
 * server's own search round goes over the server's own pools, slice by slice, and a timer that is due every millisecond tells how
 * late it is. Commits answer in the next turn of the event loop, as a database would at best. The same timer in a process that does
 * nothing tells what of it is the machine.
 */

const GAME = '65000000000000000000000a';
const KEY = `${GAME}:bench`;
const at = process.argv.indexOf('--tickets');
const count = Number(at < 0 ? 100_000 : process.argv[at + 1]);

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function matching(workload: Workload): Promise<Lag & { seconds: number; matches: number }> {
  const mode = {
    ...poolOf(KEY),
    gameName: '',
    gameSlug: '',
    key: 'bench',
    name: '',
    version: 1,
    ruleSet: workload.ruleSet,
  };
  const pools = createPools({
    engine: new Engine(SEED),
    // nothing is read again where every commit stands
    Tickets: undefined as unknown as TicketModel,
    companyOf: (seekers) => Promise.resolve(seekers.map(() => ({ blocked: new Set<string>(), met: new Map() }))),
    games: { mode: () => Promise.resolve(mode) },
  });
  const rows = ticketsOf(workload, count, 1).map((ticket) => rowOf(ticket, GAME, 'bench'));
  for (let from = 0; from < rows.length; from += 1000) await pools.put(rows.slice(from, from + 1000));
  let matches = 0;
  const search = createSearchRound({
    pools,
    formation: {
      async form(found) {
        await turn();
        for (const { tickets } of found) for (const { id } of tickets) pools.remove(id);
        matches += found.length;
        return found.length;
      },
    },
    leases: { holds: () => true },
    clock: { now: () => NOW },
    logger: pino({ level: 'silent' }),
  });
  return { ...(await lagOf(search)), matches };
}

async function main() {
  const until = performance.now() + 3000;
  const idle = await lagOf(async () => {
    while (performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  });
  const rows = [{ what: 'an idle process', tickets: 0, ...idle, matches: 0 }];
  for (const workload of [fives, sparse])
    rows.push({ what: workload.name, tickets: count, ...(await matching(workload)) });
  console.table({ machine: `${cpus()[0]?.model}, ${cpus().length} cores, Node ${process.version}` });
  console.table(rows.map(({ seconds, ...row }) => ({ ...row, seconds: Math.round(seconds * 100) / 100 })));
  console.log(`ms late; load average ${loadavg()[0]?.toFixed(1)}`);
}

void main();
