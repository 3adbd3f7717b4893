import { DEMO_HELP, demoOptions, UsageError } from './options';
import { startOwnServer, type OwnServer } from './own-server';
import { createProgress } from './progress';
import { createRest } from './rest';
import { runDemo } from './run';
import { summaryOf } from './summary';

/** Simulated players on a whole server: see `--help`. Exit code 0: everything held; 1: something broke; 2: it could not run. */
async function main(): Promise<number> {
  const options = demoOptions(process.argv.slice(2));
  if (options.help) {
    process.stdout.write(DEMO_HELP);
    return 0;
  }
  const begun = Date.now();
  const own = options.url === undefined ? await startOwnServer() : undefined;
  const url = options.url ?? (own as OwnServer).url;
  process.stdout.write(`\n  Maoga demo: ${options.players} players, seed ${options.seed}, on ${url}\n`);
  process.stdout.write(own ? `  a server of its own: ${own.database}\n\n` : '\n');

  const rest = createRest(url);
  const progress = createProgress(options.players, rest.limited);
  try {
    const outcome = await runDemo(options, { url, rest, onTally: (tally) => progress.show(tally) });
    progress.stop();
    outcome.broken.push(...(await stop(own)));
    process.stdout.write(summaryOf(outcome, Date.now() - begun));
    return outcome.broken.length === 0 ? 0 : 1;
  } finally {
    progress.stop();
    rest.close();
    await own?.stop();
  }
}

/** Ends the demo's own server. @returns what it complained of */
async function stop(own: OwnServer | undefined): Promise<string[]> {
  if (!own) return [];
  const graceful = await own.stop();
  const complaints = own.complaints.map((line) => `the server logged: ${line.slice(0, 300)}`);
  return graceful ? complaints : [...complaints, 'the server did not stop gracefully'];
}

main().then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    const known = error instanceof UsageError;
    process.stderr.write(`${known ? error.message : `The demo could not run: ${(error as Error).stack}`}\n`);
    process.exitCode = 2;
  },
);
