import catalogue from './catalogue.json';
import { newGame, PLATFORMS } from './games.schemas';
import { shippedGames } from './seed';

/** The catalogue file: what admins could send to `POST /api/games`, forty times and more. */

const games = shippedGames();
const modes = games.flatMap((game) => game.modes.map((mode) => ({ game, mode, rules: mode.ruleSet })));
const named = (list: typeof modes) => list.map(({ game, mode }) => `${game.slug}/${mode.key}`);

test.each(catalogue.map((game) => [game.slug, game] as const))('%s is valid as an admin would send it', (_slug, game) =>
  expect(newGame.safeParse(game).error).toBeUndefined(),
);

test('there are forty games and more, each with its own slug and name and with modes to queue for', () => {
  expect(games.length).toBeGreaterThanOrEqual(40);
  expect(new Set(games.map(({ slug }) => slug)).size).toBe(games.length);
  expect(new Set(games.map(({ name }) => name.toLowerCase())).size).toBe(games.length);
  expect(games.filter((game) => game.modes.length === 0)).toEqual([]);
});

test('every game says what it is, was released in the past, and takes as many players as its modes need', () => {
  for (const game of games) {
    expect(game.description.length).toBeGreaterThan(30);
    expect(game.releaseDate ?? '2000-01-01').toMatch(/^(19|20)\d\d-/);
    expect(new Date(game.releaseDate ?? 0).getTime()).toBeLessThan(Date.UTC(2026, 0, 1));
    for (const { ruleSet } of game.modes) {
      const { count, size } = ruleSet.teams;
      expect([game.slug, count * size.min <= game.players.max]).toEqual([game.slug, true]);
    }
  }
});

test('every platform is there, and the kinds of games differ', () => {
  expect(new Set(games.flatMap((game) => game.platforms))).toEqual(new Set(PLATFORMS));
  expect(new Set(games.flatMap((game) => game.genres)).size).toBeGreaterThan(20);
});

test('whoever waits long enough is matched whatever the skill: every limit ends wide', () => {
  const narrow = modes.filter(({ rules }) => {
    const limit = rules.skill.maxSpread;
    return limit !== null && (limit.steps.at(-1)?.value ?? limit.value) < 30;
  });
  expect(named(narrow)).toEqual([]);
});

test('limits have widened before a ticket expires', () => {
  const late = modes.filter(({ rules }) => {
    const { skill, latency, regions, languages, hold } = rules;
    const steps = [skill.maxSpread, skill.maxTeamGap, latency?.maxMs].flatMap((limit) => limit?.steps ?? []);
    const waits = [regions.relaxAfterSeconds ?? 0, languages.relaxAfterSeconds ?? 0, hold?.holdSeconds ?? 0];
    return Math.max(...steps.map(({ afterSeconds }) => afterSeconds), ...waits) >= rules.ticketSeconds;
  });
  expect(named(late)).toEqual([]);
});

test('ranked matches are accepted by everybody, groups of flexible size hold out for a fuller one', () => {
  const ranked = modes.filter(({ mode }) => /ranked|competitive|premier|ladder/i.test(mode.key));
  expect(ranked.length).toBeGreaterThan(20);
  expect(named(ranked.filter(({ rules }) => rules.acceptance === null))).toEqual([]);
  const flexible = modes.filter(({ rules }) => rules.teams.size.min < rules.teams.size.max);
  expect(flexible.length).toBeGreaterThan(10);
  expect(named(flexible.filter(({ rules }) => rules.hold === null))).toEqual([]);
});

test('every kind of mode is there: duels, teams, several teams, everybody for themselves, groups, roles', () => {
  const kinds = new Set(
    modes.map(({ rules: { teams } }) =>
      teams.count === 1
        ? 'group'
        : teams.size.max === 1
          ? teams.count === 2
            ? 'duel'
            : 'free-for-all'
          : teams.count === 2
            ? 'versus'
            : 'teams',
    ),
  );
  expect(kinds).toEqual(new Set(['group', 'duel', 'free-for-all', 'versus', 'teams']));
  expect(modes.filter(({ rules }) => rules.roles !== null).length).toBeGreaterThan(4);
});
