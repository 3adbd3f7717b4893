import { ConfigError, loadConfig, type Config } from '../src/config/config';
import { developmentSecrets } from '../src/config/development-secrets';
import { readEnvironment } from '../src/config/environment';
import { runAsCommand } from './command-line';
import { examineDatabase } from './doctor/database';
import { examineMachine } from './doctor/machine';
import { examineRedis } from './doctor/redis';
import { failure, lineOf, ok, sumOf, type Finding } from './doctor/report';

/** `npm run doctor`, in an image `node dist/scripts/doctor.js`. */
const HELP = `
  npm run doctor

  Looks at the environment that the server would start in, with the same settings: variables, Node, disk, database
  (reachable, transactions, clock, migrations, indexes, DATA_SECRET) and Redis. Changes nothing, and says what to do about what it finds.

  Exit code 0: the server will run, though there may be warnings. 1: something has to be mended first.
`;

async function main(args: string[]): Promise<number> {
  if (args.length > 0) {
    process.stdout.write(HELP);
    return args[0] === '--help' ? 0 : 1;
  }
  process.stdout.write('\n');
  const findings: Finding[] = [];
  const tell = (more: Finding[]) => {
    findings.push(...more);
    for (const finding of more) process.stdout.write(`${lineOf(finding)}\n`);
  };
  const config = settings(tell);
  if (config) {
    tell(examineMachine(config));
    tell(await examineDatabase(config));
    tell(await examineRedis(config));
  }
  process.stdout.write(`\n  ${sumOf(findings)}\n\n`);
  return findings.some(({ state }) => state === 'failure') ? 1 : 0;
}

function settings(tell: (findings: Finding[]) => void): Config | undefined {
  try {
    const config = loadConfig(readEnvironment(), developmentSecrets);
    tell([ok('Settings', `complete, for ${config.env}`)]);
    return config;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    tell([failure('Settings', error.message, 'Mend what is named.')]);
    return undefined;
  }
}

runAsCommand(main, { refused: 1, failed: 1 });
