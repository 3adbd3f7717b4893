import type { RunProgress } from './run';

interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

const BAR_WIDTH = 30;
const REDRAW_MS = 100;
const DAY_MS = 86_400_000;

/** A bar redrawn in place on a terminal; elsewhere a line for each quarter. */
export function createProgress(name: string, startMs: number, screen: Screen): (progress: RunProgress) => void {
  let drawnAt = 0;
  let quarter = 0;
  return (progress) => {
    const { share } = progress;
    const line = lineOf(name, progress, startMs);
    if (screen.isTTY !== true) {
      if (share < quarter / 4) return;
      quarter = Math.floor(share * 4) + 1;
      screen.write(`${line}\n`);
      return;
    }
    if (Date.now() - drawnAt < REDRAW_MS) return;
    drawnAt = Date.now();
    screen.write(`\r\u001b[2K${line}`);
  };
}

function lineOf(name: string, { share, now, waiting, matches }: RunProgress, startMs: number): string {
  const full = Math.round(BAR_WIDTH * share);
  const elapsed = now - startMs;
  const days = Math.floor(elapsed / DAY_MS);
  const time = new Date(elapsed).toISOString().slice(11, 16);
  const when = days > 0 ? `day ${days + 1} ${time}` : time;
  return `  ${name}  ${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)}  ${when}  ${waiting} waiting, ${matches} matches`;
}
