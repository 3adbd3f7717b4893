import { readFileSync } from 'node:fs';
import type { World } from './world';

/** What the servers and their database have done since, whatever else the machine is busy with. */
export interface Cost {
  /** Processor time of all servers, ms. */
  serversMs: number;
  databaseMs: number;
  /** Commands that the servers sent to the database. */
  commands: number;
}

/** Begins to count; what it returns tells what has come together since then, for each of `many`. */
export function countCost(world: World): (many: number) => Cost {
  const before = costOf(world);
  return (many) => {
    const now = costOf(world);
    const each = (name: keyof Cost) => Number(((now[name] - before[name]) / many).toFixed(2));
    return { serversMs: each('serversMs'), databaseMs: each('databaseMs'), commands: each('commands') };
  };
}

function costOf({ members, databasePid }: World): Cost {
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    serversMs: sum(members.map(({ instance }) => (instance ? processorMs(instance.child.pid) : 0))),
    databaseMs: processorMs(databasePid),
    commands: sum(members.map(({ database }) => database.passed)),
  };
}

/** The kernel counts in hundredths of a second. */
const TICK_MS = 10;

/** The name of a process, in brackets, may hold spaces: what follows is counted from its end. */
function processorMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
