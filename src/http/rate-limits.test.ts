import express from 'express';
import request from 'supertest';
import { createLogger } from '../core/logger';
import { problemHandler } from './problems';
import { changedLimits, classesOf, createRateLimits, isPage, LIMITS, type RateLimits } from './rate-limits';
import type { AppResponse } from './route';

let limits: RateLimits | undefined;
afterEach(() => limits?.stop());

/** Every class at its own path; `x-user` signs in, `x-forwarded-for` is believed. */
function app(enabled = true) {
  const { limiters } = (limits = createRateLimits(enabled));
  const made = express().set('trust proxy', 1);
  made.use((incoming, response, next) => {
    const userId = incoming.get('x-user');
    if (userId) Object.assign((response as AppResponse).locals, { player: { userId } });
    const account = incoming.get('x-account');
    if (account) Object.assign((response as AppResponse).locals, { account });
    next();
  });
  for (const [name, limiter] of Object.entries(limiters)) made.use(`/${name}`, limiter);
  made.use((_incoming, response) => void response.send('in'));
  return made.use(problemHandler(createLogger({ level: 'silent', pretty: false })));
}

interface Caller {
  user?: string;
  ip?: string;
  account?: string;
}

async function statuses(
  made: express.Express,
  name: keyof typeof LIMITS,
  times: number,
  { user, account, ip = '192.0.2.1' }: Caller,
) {
  const answers: number[] = [];
  for (let i = 0; i < times; i++) {
    const call = request(made).get(`/${name}`).set('x-forwarded-for', ip);
    if (user) call.set('x-user', user);
    if (account) call.set('x-account', account);
    answers.push((await call).status);
  }
  return answers;
}

/** Uses up the whole budget. */
async function spend(made: express.Express, name: keyof typeof LIMITS, caller: Caller) {
  const { max } = LIMITS[name];
  expect(await statuses(made, name, max, caller)).toEqual(Array.from({ length: max }, () => 200));
}

test('one more than the budget is refused, with the time to wait', async () => {
  const made = app();
  await spend(made, 'submit', { user: 'ann' });
  const { status, headers, body } = await request(made).get('/submit').set('x-user', 'ann');
  expect([status, body.code]).toEqual([429, 'RATE_LIMITED']);
  const seconds = Number(headers['retry-after']);
  expect(seconds).toBeGreaterThan(0);
  expect(seconds).toBeLessThanOrEqual(LIMITS.submit.windowSeconds);
  expect(body.detail).toContain(`in ${seconds} s`);
  expect(headers['ratelimit']).toContain('r=0');
});

test('each player has a budget of their own, wherever they are, and for each class of requests', async () => {
  const made = app();
  await spend(made, 'submit', { user: 'ann' });
  expect(await statuses(made, 'submit', 1, { user: 'ann', ip: '192.0.2.77' })).toEqual([429]);
  expect(await statuses(made, 'submit', 1, { user: 'ben' })).toEqual([200]);
  expect(await statuses(made, 'submit', 1, {})).toEqual([200]);
  expect(await statuses(made, 'search', 1, { user: 'ann' })).toEqual([200]);
});

test('credentials are counted by address, whoever one says to be', async () => {
  const made = app();
  await spend(made, 'credentials', { user: 'ann' });
  expect(await statuses(made, 'credentials', 1, { user: 'ben' })).toEqual([429]);
  expect(await statuses(made, 'credentials', 1, { user: 'ann', ip: '192.0.2.2' })).toEqual([200]);
});

test('an IPv6 network of 56 bits is one address: whoever has one has as many addresses as they like', async () => {
  const made = app();
  await spend(made, 'credentials', { ip: '2001:db8:0:100::1' });
  expect(await statuses(made, 'credentials', 1, { ip: '2001:db8:0:1ff:ffff::2' })).toEqual([429]);
  expect(await statuses(made, 'credentials', 1, { ip: '2001:db8:0:200::1' })).toEqual([200]);
});

test('attempts are counted by account and address: nobody locks somebody else out', async () => {
  const made = app();
  await spend(made, 'attempts', { account: 'Ann@Example.Test', ip: '192.0.2.1' });
  expect(await statuses(made, 'attempts', 1, { account: 'ann@example.test', ip: '192.0.2.1' })).toEqual([429]);
  expect(await statuses(made, 'attempts', 1, { account: 'ann@example.test', ip: '192.0.2.2' })).toEqual([200]);
  expect(await statuses(made, 'attempts', 1, { account: 'ben@example.test', ip: '192.0.2.1' })).toEqual([200]);
  await spend(made, 'attempts', { user: 'cleo' });
  expect(await statuses(made, 'attempts', 1, { user: 'cleo' })).toEqual([429]);
});

test.each([
  [{ access: 'anyone' }, ['general']],
  [{ access: 'player' }, ['strangers', 'general']],
  [{ access: 'moderator', limit: 'search' }, ['strangers', 'search']],
  [{ access: 'player', limit: 'none' }, ['strangers']],
  [{ access: 'anyone', limit: 'credentials' }, ['credentials']],
  [{ access: 'anyone', limit: 'credentials', account: () => 'ann' }, ['credentials', 'attempts']],
  [{ access: 'player', limit: 'credentials' }, ['strangers', 'credentials', 'attempts']],
] as const)('a route that says %j is counted in %j', (route, classes) => {
  expect(classesOf(route)).toEqual(classes);
});

test.each([
  ['/docs', true],
  ['/health', true],
  ['/.env', true],
  ['/apiary', true],
  ['/livez', false],
  ['/readyz', false],
  ['/api', false],
  ['/API/games', false],
])('%s counts as a page: %s', (path, page) => {
  expect(isPage(path)).toBe(page);
});

test('an operator may give a class other numbers, and nothing else changes', () => {
  const limits = changedLimits([{ name: 'search', max: 7, windowSeconds: 9 }]);
  expect(limits).toEqual({ ...LIMITS, search: { ...LIMITS.search, max: 7, windowSeconds: 9 } });
});

test('nothing is limited where limits are off', async () => {
  expect(await statuses(app(false), 'submit', LIMITS.submit.max + 1, {})).not.toContain(429);
});
