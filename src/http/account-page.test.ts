import { runInNewContext } from 'node:vm';
import express from 'express';
import request from 'supertest';
import { createAccountPage } from './account-page';

const app = express().use(createAccountPage());

test('the page loads nothing from elsewhere, is kept nowhere and framed by nobody', async () => {
  for (const path of ['/account', '/account/account.js', '/account/account.css']) {
    const { status, headers, text } = await request(app).get(path);
    expect([path, status, headers['cache-control']]).toEqual([path, 200, 'no-store']);
    expect(headers['content-security-policy']).toContain("default-src 'none';script-src 'self'");
    expect(headers['content-security-policy']).toContain("frame-ancestors 'none'");
    expect(text).not.toMatch(/https?:\/\/|\son\w+=|style=/);
  }
});

/** As much of a browser as the script sees. */
async function open(hash: string, answer: { ok: boolean; json?: () => Promise<object> } = { ok: true }) {
  const { text: script } = await request(app).get('/account/account.js');
  const elements = new Map<string, Record<string, unknown>>();
  const asked: [string, unknown][] = [];
  const shown: unknown[] = [];
  let submit: (event: object) => Promise<void> = () => Promise.reject(new Error('there is no form'));
  const element = (selector: string) => {
    const known = elements.get(selector) ?? {
      hidden: true,
      value: 'a new horse',
      addEventListener: (_name: string, handler: typeof submit) => (submit = handler),
    };
    elements.set(selector, known);
    return known;
  };
  runInNewContext(script, {
    location: { hash, pathname: '/account' },
    history: { replaceState: (...[, , path]: unknown[]) => shown.push(path) },
    document: { querySelector: element },
    fetch: async (path: string, { body }: { body: string }) => {
      asked.push([path, JSON.parse(body)]);
      return answer;
    },
  });
  return {
    asked,
    shown,
    element,
    status: () => element('[role=status]')['textContent'],
    submit: () => submit({ preventDefault: () => undefined }),
  };
}

test.each([
  ['verifyEmail', '/api/auth/verify-email', { token: 'abc' }],
  ['changeEmail', '/api/auth/change-email/confirm', { token: 'abc' }],
  ['resetPassword', '/api/auth/reset-password/confirm', { token: 'abc', newPassword: 'a new horse' }],
])('a link for %s is used after a click, and its token leaves the address bar at once', async (purpose, path, body) => {
  const page = await open(`#${purpose}=abc`);
  expect([page.asked, page.shown]).toEqual([[], ['/account']]);
  expect(page.element('label')['hidden']).toBe(purpose !== 'resetPassword');
  await page.submit();
  expect(page.asked).toEqual([[path, body]]);
  expect(page.element('form')['hidden']).toBe(true);
});

test('a refusal is shown with what to do; the form stays where another try makes sense', async () => {
  const problem = { code: 'VALIDATION_FAILED', detail: 'Not valid.', errors: [{ path: 'x', message: 'is too short' }] };
  const page = await open('#resetPassword=abc', { ok: false, json: async () => problem });
  await page.submit();
  expect(page.status()).toBe('Not valid. It is too short.');
  expect(page.element('form')['hidden']).toBe(false);
});

test.each(['', '#', '#toString=abc', '#__proto__=abc', '#verifyEmail='])(
  'with %j there is nothing to do',
  async (hash) => {
    const page = await open(hash);
    expect(page.status()).toBe('Open this page by the link in a mail.');
    expect(page.element('form')['hidden']).toBe(true);
  },
);
