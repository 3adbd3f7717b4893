import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { environmentSchema, LIMIT_NAMES } from '../../src/config/schema';
import { classesOf, LIMITS } from '../../src/http/rate-limits';
import { CONNECTING, MAX_SOCKETS } from '../../src/realtime/admission';
import { FLOOD } from '../../src/realtime/floods';
import { DEFAULT_BUDGET, TOTAL_BUDGET } from '../../src/realtime/on-event';
import type { MaogaServer } from '../../src/server';
import { startTestServer } from '../support/server';

/** docs/rate-limits.md is the table of the code. After a change: `UPDATE_DOCS=1 npx jest test/docs/rate-limits.test.ts`. */

const FILE = join(__dirname, '../../docs/rate-limits.md');

const tableOf = (header: string[], rows: (string | number)[][]) =>
  [
    '<!-- prettier-ignore -->',
    ...[header, header.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`),
  ].join('\n');

const PER = { player: 'player', address: 'address', account: 'account and address' };

describe('docs/rate-limits.md', () => {
  let server: MaogaServer;
  beforeAll(async () => {
    server = await startTestServer();
  });

  const classes = () =>
    LIMIT_NAMES.map((name) => [
      `\`${name}\``,
      LIMITS[name].max,
      LIMITS[name].windowSeconds,
      PER[LIMITS[name].per],
      LIMITS[name].what,
    ]);

  const routes = () =>
    server.routes
      .map((route) => ({ what: `${route.method.toUpperCase()} ${route.path}`, classes: classesOf(route).join(', ') }))
      .filter(({ classes }) => !/^(strangers, )?general$/.test(classes))
      .map(({ what, classes }) => [`\`${what}\``, classes]);

  const events = () =>
    server.clientEvents
      .filter(({ budget }) => budget)
      .map(({ name, budget = DEFAULT_BUDGET }) => [`\`${name}\``, budget.max, budget.perSeconds]);

  const sections = (): Record<string, string> => ({
    classes: tableOf(['Class', 'Requests', 'in seconds', 'for each', 'What'], classes()),
    routes: tableOf(['Route', 'Counted in'], routes()),
    sockets: tableOf(
      ['What', 'At most', 'in seconds', 'for each'],
      [
        ['Any one event', DEFAULT_BUDGET.max, DEFAULT_BUDGET.perSeconds, 'player'],
        ['All events together', TOTAL_BUDGET.max, TOTAL_BUDGET.perSeconds, 'player'],
        ['Connecting', CONNECTING.ofOnePlayer.max, CONNECTING.ofOnePlayer.perSeconds, 'player'],
        [
          'Connecting without a good token',
          CONNECTING.refusedFromOneAddress.max,
          CONNECTING.refusedFromOneAddress.perSeconds,
          'address',
        ],
        ['Open connections', MAX_SOCKETS, 'at once', 'player'],
        [
          'Open connections that have shown no good token',
          environmentSchema.shape.SOCKETS_WITHOUT_TOKEN.parse(undefined),
          'at once',
          'address',
        ],
        ['Packets, whatever they hold; more ends the connection', FLOOD.packets, FLOOD.perMs / 1000, 'connection'],
        ['Bytes in them; more ends the connection', FLOOD.bytes, FLOOD.perMs / 1000, 'connection'],
      ],
    ),
    events: tableOf(['Event', 'At most', 'in seconds'], events()),
  });

  it('has the tables of the code', () => {
    const text = readFileSync(FILE, 'utf8');
    const written = Object.entries(sections()).reduce((page, [name, table]) => {
      const [before = '', rest = ''] = page.split(`<!-- ${name} -->\n`);
      return `${before}<!-- ${name} -->\n\n${table}\n\n<!-- end of ${name} -->${rest.split(`<!-- end of ${name} -->`)[1] ?? ''}`;
    }, text);
    if (process.env['UPDATE_DOCS']) writeFileSync(FILE, written);
    expect(readFileSync(FILE, 'utf8')).toBe(written);
  });
});
