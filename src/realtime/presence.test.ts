import { createPresence, type PresenceDirectory } from './presence';

/** Two instances with one directory, as far as presence goes. */
function world() {
  const users = new Map<string, Set<string>>();
  let away = false;
  const hints: (() => void)[] = [];
  const instance = (name: string) => {
    const mine = new Set<string>();
    users.set(name, mine);
    const told: string[] = [];
    const watched = new Set<string>();
    const answering = async <Answer>(answer: () => Answer) => {
      if (away) throw new Error('away');
      return answer();
    };
    const directory: PresenceDirectory = {
      add: (userId) => answering(() => void mine.add(userId)).catch(() => undefined),
      remove: (userId) => answering(() => void mine.delete(userId)).catch(() => undefined),
      renew: (all) =>
        answering(() => {
          mine.clear();
          for (const userId of all()) mine.add(userId);
        }),
      elsewhere: (userIds) =>
        answering(() => {
          const others = [...users].filter(([other]) => other !== name).map(([, has]) => has);
          return new Set(userIds.filter((userId) => others.some((has) => has.has(userId))));
        }),
    };
    const presence = createPresence({
      directory,
      isWatched: (userId) => watched.has(userId),
      tell: (userId, status) => void told.push(`${userId} ${status}`),
      announce: (userId) =>
        void hints.push(() => [...all].filter((one) => one !== self).forEach((one) => one.presence.changed(userId))),
      logger: { debug: () => undefined, error: () => undefined },
    });
    const watch = async (userId: string) => {
      watched.add(userId);
      return (await presence.statuses([userId])).get(userId);
    };
    const self = { name, presence, told, watch, unwatch: (userId: string) => watched.delete(userId) };
    all.add(self);
    return self;
  };
  const all = new Set<ReturnType<typeof instance>>();
  const settled = () => new Promise(setImmediate);
  return {
    one: instance('one'),
    two: instance('two'),
    /** Hints go through, in the order in which they were given or the other one. */
    deliver: async (order: 'given' | 'reversed' = 'given') => {
      await settled();
      for (const hint of order === 'given' ? hints.splice(0) : hints.splice(0).reverse()) hint();
      await settled();
    },
    lose: () => void hints.splice(0),
    die: (name: string) => void users.delete(name),
    set away(now: boolean) {
      away = now;
    },
  };
}

test('presence is told when the first socket comes and when the last one goes, on any instance', async () => {
  const { one, two, deliver } = world();
  expect([await one.watch('a'), await two.watch('a')]).toEqual(['offline', 'offline']);
  one.presence.arrived('a');
  two.presence.arrived('a');
  one.presence.arrived('a');
  await deliver();
  one.presence.left('a');
  one.presence.left('a');
  await deliver();
  expect([one.told, two.told]).toEqual([['a online'], ['a online']]);
  two.presence.left('a');
  await deliver();
  expect([one.told, two.told]).toEqual([
    ['a online', 'a offline'],
    ['a online', 'a offline'],
  ]);
});

test('whoever begins to watch is answered what holds on all instances, and hears no news of it', async () => {
  const { one, two, deliver } = world();
  two.presence.arrived('a');
  await deliver();
  expect(await one.watch('a')).toBe('online');
  expect(one.told).toEqual([]);
});

test('somebody who moves to another instance is online in the end, in whatever order the hints arrive', async () => {
  for (const order of ['given', 'reversed'] as const) {
    const { one, two, deliver } = world();
    one.presence.arrived('a');
    await deliver();
    await Promise.all([one.watch('a'), two.watch('a')]);
    one.presence.left('a');
    two.presence.arrived('a');
    await deliver(order);
    for (const { told, watch } of [one, two]) {
      expect(await watch('a')).toBe('online');
      expect(told.at(-1) ?? 'a online').toBe('a online');
    }
  }
});

test('a lost hint and the users of an instance that died are made good by the next look', async () => {
  const { one, two, deliver, lose, die } = world();
  await one.watch('a');
  two.presence.arrived('a');
  await new Promise(setImmediate);
  lose();
  await one.presence.loop.tick();
  expect(one.told).toEqual(['a online']);
  die('two');
  await deliver();
  await one.presence.loop.tick();
  expect(one.told).toEqual(['a online', 'a offline']);
});

test('while the directory is away nobody is said to have gone, and afterwards what happened meanwhile is told', async () => {
  const all = world();
  const { one, two, deliver } = all;
  two.presence.arrived('a');
  await deliver();
  await one.watch('a');
  all.away = true;
  two.presence.left('a');
  two.presence.arrived('b');
  await deliver();
  await one.presence.loop.tick();
  expect([await one.watch('a'), await one.watch('b')]).toEqual(['online', 'offline']);
  all.away = false;
  await two.presence.loop.tick();
  await one.presence.loop.tick();
  expect(one.told).toEqual(['a offline', 'b online']);
});

test('nothing is kept of whom nobody watches any more', async () => {
  const { one, two, deliver } = world();
  await one.watch('a');
  one.unwatch('a');
  await one.presence.loop.tick();
  two.presence.arrived('a');
  await deliver();
  expect(one.told).toEqual([]);
});
