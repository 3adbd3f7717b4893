/**
 * The server alone, as a process: `npx tsx src/embedded-mongo/cli.ts --dir … --port …`. Prints its URI on standard output when it serves, and stops by
 * SIGTERM or SIGINT. Exits with 2 when the arguments are wrong, with 1 when it cannot start.
 */
import { parseArgs } from 'node:util';
import { startEmbeddedMongo } from './index';

const HELP = `Usage: cli.ts [--dir DIRECTORY] [--port PORT]

  --dir DIRECTORY   keeps the data there, on disk when acknowledged; without it everything is in memory and goes with the process
  --port PORT       on 127.0.0.1; without it, or 0, any free one
  --help            this text
`;

interface Options {
  directory?: string;
  port?: number;
}

/** @throws Error with what is wrong */
function optionsOf(args: string[]): Options | 'help' {
  const { values } = parseArgs({
    args,
    options: { dir: { type: 'string' }, port: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) return 'help';
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port <= 65535)) {
    throw new Error(`--port takes a number from 0 to 65535, not ${values.port}`);
  }
  return { ...(values.dir === undefined ? {} : { directory: values.dir }), ...(port === undefined ? {} : { port }) };
}

async function serve(options: Options): Promise<void> {
  const server = await startEmbeddedMongo(options);
  process.stdout.write(`${server.uri}\n`);
  const stop = (): void => {
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => fail(1, error),
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

function fail(code: number, error: unknown): void {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(code);
}

function main(): void {
  let options: Options | 'help';
  try {
    options = optionsOf(process.argv.slice(2));
  } catch (error) {
    fail(2, error instanceof Error ? new Error(`${error.message}\n\n${HELP}`) : error);
    return;
  }
  if (options === 'help') process.stdout.write(HELP);
  else serve(options).catch((error: unknown) => fail(1, error));
}

main();
