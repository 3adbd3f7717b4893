import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import mongoose from 'mongoose';
import type { Route } from '../../../src/http/route';
import type { MaogaServer } from '../../../src/server';
import { connectSocket, registerPlayer, request, type Player } from '../../support/client';
import { databaseOf } from '../../support/matchmaking';
import { startTestServer } from '../../support/server';
import { registerStaff } from '../../support/staff';
import { EVENTS, ROUTES, type Case, type Rule } from './cases';
import { setScene, setStage, type Scene, type Stage } from './scenes';

/**
 * Every route and every event of a whole server, tried by everybody. What came of it is docs/authorization.md; after a
 * change: `UPDATE_DOCS=1 npx jest test/e2e/authorization`.
 */

const CALLERS = ['nobody', 'stranger', 'member', 'host', 'moderator', 'admin', 'banned'] as const;
type Caller = (typeof CALLERS)[number];
/** `yes`, or the code of the refusal. */
type Row = Record<Caller, string>;

const SIGNED_IN: Caller[] = ['stranger', 'member', 'host', 'moderator', 'admin'];
const LET_IN: Record<Rule, readonly Caller[]> = {
  anyone: CALLERS,
  player: SIGNED_IN,
  owner: ['host'],
  member: ['member', 'host'],
  host: ['host'],
  moderator: ['moderator', 'admin'],
  admin: ['admin'],
};

function expectedRow({ rule, member = 'NOT_HOST' }: Case): Row {
  const refusal = (caller: Caller): string => {
    if (caller === 'nobody') return 'UNAUTHENTICATED';
    if (caller === 'banned') return 'ACCOUNT_BANNED';
    if (rule === 'moderator' || rule === 'admin') return 'FORBIDDEN';
    return rule === 'host' && caller === 'member' ? member : 'NOT_FOUND';
  };
  return rowOf((caller) => (LET_IN[rule].includes(caller) ? 'yes' : refusal(caller)));
}

const rowOf = (cell: (caller: Caller) => string) =>
  Object.fromEntries(CALLERS.map((caller) => [caller, cell(caller)])) as Row;

type Standing = Record<'stranger' | 'moderator' | 'admin' | 'banned', Player>;

describe('who may do what', () => {
  let server: MaogaServer;
  let stage: Stage;
  let cast: Standing;
  const table = new Map<string, Row>();

  const newCast = async (): Promise<Standing> => ({
    stranger: await registerPlayer(server),
    moderator: await registerStaff(server, 'moderator'),
    admin: await registerStaff(server, 'admin'),
    banned: await bannedPlayer(server),
  });

  beforeAll(async () => {
    server = await startTestServer({ runLoops: false });
    stage = await setStage(server);
    cast = await newCast();
  });

  /** One for those who are refused, which changes nothing, and a new one for everybody who is let in. */
  const sceneFor = ({ scene = 'account', rule }: Case) => {
    let shared: Promise<Scene> | undefined;
    const alike = rule === 'player' || rule === 'anyone';
    return (caller: Caller): Promise<Scene> =>
      LET_IN[rule].includes(caller) && !alike ? setScene(scene, stage) : (shared ??= setScene(scene, stage));
  };

  /** Tries it with everybody. @param ask @returns `yes` or a code */
  const tryAll = async (each: Case, ask: (caller: Caller, player: Player | null, scene: Scene) => Promise<string>) => {
    const sceneOf = sceneFor(each);
    const people = each.consumes ? await newCast() : cast;
    const row: Partial<Row> = {};
    for (const caller of CALLERS) {
      const scene = await sceneOf(caller);
      const player = caller === 'nobody' ? null : { ...people, host: scene.host, member: scene.member }[caller];
      row[caller] = await ask(caller, player, scene);
    }
    return row as Row;
  };

  const contextOf = (scene: Scene, player: Player | null) => ({ ...stage, ...scene, caller: player ?? stage.other });

  const keyOf = ({ method, path }: Route) => `${method.toUpperCase()} ${path}`;

  test('every route and every event has a case, and every case a route or an event', () => {
    expect(Object.keys(ROUTES).sort()).toEqual(server.routes.map(keyOf).sort());
    expect(Object.keys(EVENTS).sort()).toEqual(server.clientEvents.map(({ name }) => name).sort());
  });

  test('what a route says of its access is what its case says', () => {
    for (const route of server.routes) {
      const { rule } = ROUTES[keyOf(route)] as Case;
      const role = ['owner', 'member', 'host'].includes(rule) ? 'player' : rule;
      expect([keyOf(route), route.access]).toEqual([keyOf(route), role]);
    }
  });

  test.each(Object.entries(ROUTES))('%s', async (key, each) => {
    const route = server.routes.find((candidate) => keyOf(candidate) === key) as Route;
    const acts = (await databaseOf(server)).collection('audit');
    const row = await tryAll(each, async (_caller, player, scene) => {
      const context = contextOf(scene, player);
      const params = { id: scene.id, ...(await each.params?.(context)) } as Record<string, string>;
      const path = route.path.replaceAll(/:(\w+)/g, (_all, name: string) => encodeURIComponent(params[name] ?? ''));
      const before = await acts.countDocuments();
      const { status, body } = await request(server, route.method.toUpperCase(), path + (each.query ?? ''), {
        ...(player ? { token: player.accessToken } : {}),
        ...(each.body ? { body: each.body(context) } : {}),
      });
      const letIn = status === (each.then ?? route.status);
      const judging = route.access === 'moderator' || route.access === 'admin';
      if (judging && route.method !== 'get')
        expect(await acts.countDocuments()).toBe(before + (letIn && !each.then ? 1 : 0));
      return letIn ? 'yes' : `${body.code ?? status}`;
    });
    expect(row).toEqual(expectedRow(each));
    table.set(`\`${key}\``, row);
  });

  test.each(Object.entries(EVENTS))('%s', async (name, each) => {
    const row = await tryAll(each, async (_caller, player, scene) => {
      const socket = await connectSocket(server, player?.accessToken ?? 'none').catch(
        (error: { data: { code: string } }) => error.data.code,
      );
      if (typeof socket === 'string') return socket;
      const answer = await socket.send(name, each.body?.(contextOf(scene, player)) ?? {});
      socket.close();
      return answer.ok ? 'yes' : answer.error.code;
    });
    expect(row).toEqual(expectedRow(each));
    table.set(`\`${name}\``, row);
  });

  test('docs/authorization.md says so', () => {
    const file = join(__dirname, '../../../docs/authorization.md');
    const page = pageOf(table, Object.keys(ROUTES).length);
    if (process.env['UPDATE_DOCS']) writeFileSync(file, page);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });
});

async function bannedPlayer(server: MaogaServer): Promise<Player> {
  const player = await registerPlayer(server);
  const users = (await databaseOf(server)).collection('users');
  const sanction = { reason: 'because of a test', until: null };
  await users.updateOne({ _id: new mongoose.Types.ObjectId(player.userId) }, { $set: { status: 'banned', sanction } });
  return player;
}

function pageOf(table: ReadonlyMap<string, Row>, routes: number): string {
  const lines = (rows: [string, Row][]) => {
    const cells = rows.map(([what, row]) => [what, ...CALLERS.map((caller) => row[caller])]);
    return [['', ...CALLERS], ['---', ...CALLERS.map(() => '---')], ...cells]
      .map((row) => `| ${row.join(' | ')} |`)
      .join('\n');
  };
  const rows = [...table];
  return `# Who may do what

Every route and every event, tried by everybody: this page is what came of it. It is written by
\`UPDATE_DOCS=1 npx jest test/e2e/authorization\`, and the tests fail where it is not true, or where a new route or event has no case
in \`test/e2e/authorization/cases.ts\`.

- **nobody** has no access token, a **stranger** has an account and no part in what the request is about.
- A **member** is in the lobby, the match or the party; the **host** leads it, or it is theirs.
- A **moderator** or an **admin** has that role, and no part in it. Whoever is **banned** has a token from before.

\`NOT_FOUND\` is said of what is not theirs to know of, too. Whose account it is about matters besides: moderators decide about
players only, and nobody about themselves (\`test/e2e/moderation.test.ts\`).

## Routes

<!-- prettier-ignore -->
${lines(rows.slice(0, routes))}

## Events

<!-- prettier-ignore -->
${lines(rows.slice(routes))}
`;
}
