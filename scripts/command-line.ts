import { startUpFailure } from '../src/start-up-failure';

/** Why a command does not do what it was asked for, in words for whoever typed it. */
export class Refusal extends Error {}

/** What went wrong after it was begun, in words that say all there is to know. */
export class Failure extends Error {}

export interface ExitCodes {
  /** Nothing was begun: it was refused, or called wrongly. */
  refused: number;
  /** It was begun, and something went wrong. */
  failed: number;
}

/** Runs a command of this folder. @param main gets what was typed behind the command's name; @returns the exit code, 0 if nothing */
export function runAsCommand(main: (args: string[]) => Promise<number | void>, codes: ExitCodes): void {
  main(process.argv.slice(2)).then(
    (code) => {
      process.exitCode = code ?? 0;
    },
    (error: unknown) => {
      process.stderr.write(`${wordsFor(error)}\n`);
      process.exitCode = isRefusal(error) ? codes.refused : codes.failed;
    },
  );
}

/** What is refused, or fails for a known reason, is said plainly; what nobody expected with all that is known of it. */
export const wordsFor = (error: unknown): string =>
  isRefusal(error) || error instanceof Failure ? (error as Error).message : startUpFailure(error);

const isRefusal = (error: unknown): boolean =>
  error instanceof Refusal || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS') === true;
