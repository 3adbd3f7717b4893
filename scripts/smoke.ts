import { parseArgs } from 'node:util';
import { createRest } from '../demo/rest';
import { Refusal, runAsCommand } from './command-line';
import { walkEdge } from './smoke/edge';
import { walkMainJob } from './smoke/main-job';
import { walk } from './smoke/steps';

/** `npm run smoke -- <url>`: whether a deployment does its main job, seen from outside. */
const HELP = `
  npm run smoke -- <url> [options]

  Walks through a running deployment as its users do: health, headers and TLS, then two players who register, connect,
  meet in a lobby, chat, search as a party and get a match. They never meet anybody else, and are removed afterwards.
  It needs a game with a mode for groups of exactly two; the shipped catalogue has several.

    --mailbox <address>  whose mail the two accounts get, before the @ a +word is added   (default smoke@example.com)
    --edge-only          only what is seen without an account
    --help               this text

  Exit code 0: all went well. 1: something did not, and is named. 2: nothing was begun.
`;

async function main(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      mailbox: { type: 'string', default: 'smoke@example.com' },
      'edge-only': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const url = positionals[0]?.replace(/\/+$/, '') ?? '';
  if (positionals.length !== 1 || !/^https?:\/\/[^/]+$/.test(url)) throw new Refusal(`Name one address.${HELP}`);
  if (!/^[^@\s]+@[^@\s]+$/.test(values.mailbox)) throw new Refusal('--mailbox must be an e-mail address.');

  process.stdout.write(`\n  Smoke test of ${url}\n\n`);
  const rest = createRest(url);
  const outcome = await walk(
    async (steps) => {
      await walkEdge(steps, url);
      if (!values['edge-only']) await walkMainJob(steps, { url, rest, mailbox: values.mailbox });
    },
    (line) => void process.stdout.write(`${line}\n`),
  );
  rest.close();
  const skipped = outcome.skipped > 0 ? `, ${outcome.skipped} skipped` : '';
  process.stdout.write(`\n  ${outcome.steps} passed, ${outcome.failures.length} failed${skipped}\n\n`);
  return outcome.failures.length === 0 ? 0 : 1;
}

runAsCommand(main, { refused: 2, failed: 2 });
