import type { Config } from './config/config';
import type { MaogaServer } from './server';

/** What a person who starts the server wants to know, in one block. */
export function startUpBlock(config: Config, { url, runsOn }: Pick<MaogaServer, 'url' | 'runsOn'>): string {
  const rows: [string, string | undefined][] = [
    ['API', `${url}/api   (Socket.IO on the same port)`],
    ['Docs', runsOn.docs],
    ['Health', `${url}/health`],
    ['Metrics', runsOn.metrics],
    ['Database', runsOn.database],
    ['Redis', runsOn.redis],
    ['Try it', 'npm run demo   (in another terminal)'],
  ];
  const shown = config.env === 'production' ? rows.slice(0, -1) : rows;
  const lines = shown
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `    ${name.padEnd(10)}${value}`);
  return `\n  Maoga server is ready (${config.env})\n\n${lines.join('\n')}\n\n`;
}
