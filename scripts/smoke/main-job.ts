import { randomBytes } from 'node:crypto';
import { playerOf, wordsOf, type Heard, type Player } from '../../demo/player';
import type { Answer, Rest } from '../../demo/rest';
import { expectThat, type Walk } from './steps';

/**
 * The main job with two players of its own: from registering to a ready lobby by a match. They queue as a party that fills a group
 * by itself, so that no real player ever meets them.
 */
export interface MainJob {
  url: string;
  rest: Rest;
  /** Their addresses: a `+word` is put before the @. */
  mailbox: string;
}

interface Member extends Player {
  password: string;
  refreshToken: string;
  /** The next event of this name that fits, from now on. */
  next(name: string, fits?: (payload: Heard['payload']) => boolean): Promise<Heard['payload']>;
}

const PATIENCE_MS = 30_000;
const SAID = 'This is a smoke test.';

export async function walkMainJob(walk: Walk, { url, rest, mailbox }: MainJob): Promise<void> {
  const { step } = walk;
  const [host, guest] = await step('two players register', () =>
    Promise.all([register(walk, { url, rest, mailbox }), register(walk, { url, rest, mailbox })]),
  );
  await step('both connect, and are greeted with where they stand', async () => {
    for (const { ticket, match } of await Promise.all([host.connect(), guest.connect()]))
      expectThat(ticket === null && match === null, 'a new player has a ticket or a match');
  });
  const place = await step('the catalogue has a mode for two who play together', () => modeForTwo(rest));

  const lobby = await step('one opens a lobby, the other is invited, told, and joins', async () => {
    const told = guest.next('notification:new');
    const opened = await done(host.call('POST', '/api/lobbies', place), 201);
    await done(host.call('POST', `/api/lobbies/${opened.id}/invites`, { userId: guest.userId }));
    await told;
    const joined = host.next('lobby:member:joined');
    await done(guest.call('POST', `/api/lobbies/${opened.id}/join`));
    await joined;
    return opened as { id: string };
  });
  walk.later('closing the lobby', async () => void (await host.call('POST', `/api/lobbies/${lobby.id}/close`)));
  await step('what one says, the other hears', async () => {
    const heard = guest.next('chat:message', ({ message }) => message.content === SAID);
    await done(host.call('POST', `/api/lobbies/${lobby.id}/messages`, { content: SAID }), 201);
    await heard;
  });

  const match = await step('they search together, and both are told of the match', async () => {
    const told = [host, guest].map((player) => player.next('matchmaking:matched'));
    await done(host.call('POST', `/api/lobbies/${lobby.id}/queue`, {}), 201);
    const [one, other] = await Promise.all(told);
    expectThat(one.matchId === other.matchId && one.lobbyId === other.lobbyId, 'they were told of different matches');
    return one as { matchId: string; lobbyId: string };
  });
  walk.later('leaving the match', async () => {
    for (const player of [host, guest]) await player.call('POST', `/api/lobbies/${match.lobbyId}/leave`);
  });
  await step('its lobby has both, and is ready when they are', async () => {
    for (const player of [host, guest])
      await done(player.call('POST', `/api/lobbies/${match.lobbyId}/ready`, { ready: true }));
    const { state, members } = await done(host.call('GET', `/api/lobbies/${match.lobbyId}`));
    expectThat(members.length === 2, `the lobby has ${members.length} members`);
    expectThat(['ready', 'active'].includes(state), `the lobby is ${state}`);
  });
  await step('a refresh token is good once', async () => {
    const refresh = () =>
      rest.patient({ method: 'POST', path: '/api/auth/refresh', body: { refreshToken: host.refreshToken } });
    const { refreshToken } = await done(refresh());
    const again = await refresh();
    expectThat(again.status === 401, `using it again was answered ${wordsOf(again)}`);
    expectThat(refreshToken !== host.refreshToken, 'the new one is the old one');
  });
}

async function register(walk: Walk, { url, rest, mailbox }: MainJob): Promise<Member> {
  const username = `smoke_${randomBytes(6).toString('hex')}`;
  const [name = '', domain = ''] = mailbox.split('@');
  const account = {
    username,
    email: `${name}+${username}@${domain}`,
    password: randomBytes(18).toString('base64url'),
    displayName: 'Smoke test',
  };
  const { user, accessToken, refreshToken } = await done(
    rest.patient({ method: 'POST', path: '/api/auth/register', body: account }),
    201,
  );
  const player = playerOf(rest, url, { username, userId: user.id, token: accessToken });
  walk.later(`removing ${username}`, async () => {
    player.drop();
    const signedIn = await done(
      rest.patient({
        method: 'POST',
        path: '/api/auth/login',
        body: { identifier: username, password: account.password },
      }),
    );
    const call = { method: 'DELETE', path: '/api/users/me', token: signedIn.accessToken as string };
    await done(rest.patient({ ...call, body: { password: account.password } }), 202, 204);
  });

  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  player.onEvent((event) => {
    heard.push(event);
    for (const look of waiting) look();
  });
  const next: Member['next'] = (wanted, fits = () => true) =>
    new Promise<Heard['payload']>((resolve, reject) => {
      const from = heard.length;
      const late = setTimeout(() => {
        waiting.delete(look);
        reject(new Error(`${username} was not told ${wanted} within ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
      const look = () => {
        const found = heard.slice(from).find((event) => event.name === wanted && fits(event.payload));
        if (!found) return;
        clearTimeout(late);
        waiting.delete(look);
        resolve(found.payload);
      };
      waiting.add(look);
    });
  return { ...player, password: account.password, refreshToken, next };
}

/** A group of exactly two without acceptance: a party of two is all it wants. */
async function modeForTwo(rest: Rest): Promise<{ gameId: string; mode: string }> {
  for (let cursor = ''; ;) {
    const page = await done(rest.patient({ method: 'GET', path: `/api/games?limit=100${cursor}` }));
    for (const { id } of page.items) {
      const game = await done(rest.patient({ method: 'GET', path: `/api/games/${id}` }));
      const mode = game.modes.find(({ ruleSet }: { ruleSet: RuleSet }) => isForTwo(ruleSet));
      if (mode) return { gameId: id, mode: mode.key };
    }
    if (page.nextCursor === null) throw new Error('there is no mode for groups of exactly two (see --help)');
    cursor = `&cursor=${encodeURIComponent(page.nextCursor)}`;
  }
}

interface RuleSet {
  teams: { count: number; size: { min: number; max: number } };
  acceptance?: unknown;
  roles?: unknown;
}

const isForTwo = ({ teams: { count, size }, acceptance, roles }: RuleSet): boolean =>
  count === 1 && size.min === 2 && size.max === 2 && !acceptance && !roles;

/** The body of an answer with one of these statuses. @throws Error with what the server said otherwise */
async function done(answer: Promise<Answer>, ...statuses: number[]): Promise<Answer['body']> {
  const given = await answer;
  const wanted = statuses.length > 0 ? statuses : [200, 201, 204];
  expectThat(wanted.includes(given.status), `the server answered ${wordsOf(given)}`);
  return given.body;
}
