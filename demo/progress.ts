import type { Rest } from './rest';
import type { Tally } from './stage';
import { percentile } from './statistics';

/** The live view: a few lines redrawn in place on a terminal, a line now and then elsewhere. */
export interface Progress {
  show(tally: Tally): void;
  /** Draws the last state and leaves it standing. */
  stop(): void;
}

interface Screen {
  isTTY?: boolean;
  write(text: string): unknown;
}

const REDRAW_MS = 200;
const LINE_EVERY_MS = 2000;
const BAR_WIDTH = 30;

export function createProgress(players: number, limited: Rest['limited'], screen: Screen = process.stdout): Progress {
  const begun = Date.now();
  const onTerminal = screen.isTTY === true;
  let tally: Tally | undefined;
  let drawn = 0;
  let lastLine = '';

  const draw = () => {
    if (!tally) return;
    if (!onTerminal) {
      const line = lineOf(tally, players, limited);
      if (line !== lastLine) screen.write(`  ${seconds(Date.now() - begun)}  ${line}\n`);
      lastLine = line;
      return;
    }
    const lines = linesOf(tally, players, limited, Date.now() - begun);
    const back = drawn === 0 ? '' : `\u001b[${drawn}A`;
    screen.write(back + lines.map((line) => `\u001b[2K${line}\n`).join(''));
    drawn = lines.length;
  };
  const timer = setInterval(draw, onTerminal ? REDRAW_MS : LINE_EVERY_MS);

  return {
    show(figures) {
      tally = figures;
      draw();
    },
    stop() {
      clearInterval(timer);
      draw();
    },
  };
}

export const seconds = (ms: number): string => `${(ms / 1000).toFixed(1).padStart(5)} s`;

function lineOf(tally: Tally, players: number, limited: Rest['limited']): string {
  const parts = [
    pauseOf(limited) ?? tally.phase,
    `registered ${tally.registered}/${players}`,
    `connected ${tally.connected}`,
    `searching ${searchingPlayers(tally)}`,
    `playing ${tally.playing}`,
    `matches ${tally.completed}`,
  ];
  return parts.join(' | ');
}

function linesOf(tally: Tally, players: number, limited: Rest['limited'], elapsedMs: number): string[] {
  const wait = percentile(tally.waitsMs, 0.5);
  return [
    `  ${seconds(elapsedMs)}  ${pauseOf(limited) ?? tally.phase}`,
    `  registered  ${bar(tally.registered, players)}`,
    `  connected   ${bar(tally.connected, players)}`,
    `  searching   ${bar(searchingPlayers(tally), players)}`,
    `  playing     ${bar(tally.playing, players)}`,
    `  matches     ${tally.completed} played${wait === null ? '' : `, half of them found within ${seconds(wait).trim()}`}`,
  ];
}

const searchingPlayers = ({ searching }: Tally) =>
  [...searching.values()].reduce((sum, ticket) => sum + ticket.players, 0);

function bar(value: number, of: number): string {
  const full = Math.min(BAR_WIDTH, Math.round((BAR_WIDTH * value) / of));
  return `${'█'.repeat(full)}${'░'.repeat(BAR_WIDTH - full)} ${value}`;
}

function pauseOf({ until }: Rest['limited']): string | null {
  const left = until - Date.now();
  return left > 0
    ? `the server limits how fast one address may register: going on in ${Math.ceil(left / 1000)} s (start it with RATE_LIMITS=false to skip this)`
    : null;
}
