import { Router } from 'express';
import helmet from 'helmet';

/**
 * The page at /account that links in mails lead to, for servers without an app of their own that takes them. What a link is
 * for and its token stand behind the `#`, which no browser sends: the page reads them and asks the API, after a click, so
 * that a program which only looks at links uses none of them up.
 */
export function createAccountPage(): Router {
  const router = Router();
  router.use('/account', pagePolicy, (_request, response, next) => {
    response.setHeader('Cache-Control', 'no-store');
    next();
  });
  router.get('/account', (_request, response) => void response.type('html').send(PAGE));
  router.get('/account/account.js', (_request, response) => void response.type('js').send(SCRIPT));
  router.get('/account/account.css', (_request, response) => void response.type('css').send(STYLE));
  return router;
}

const pagePolicy = helmet.contentSecurityPolicy({
  useDefaults: false,
  directives: {
    defaultSrc: ["'none'"],
    scriptSrc: ["'self'"],
    styleSrc: ["'self'"],
    imgSrc: ['data:'],
    connectSrc: ["'self'"],
    baseUri: ["'none'"],
    formAction: ["'none'"],
    frameAncestors: ["'none'"],
  },
});

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Your account</title><link rel="icon" href="data:,"><link rel="stylesheet" href="/account/account.css"></head>
<body><main><h1>Your account</h1><form hidden>
<label hidden>New password <input type="password" autocomplete="new-password" minlength="8" maxlength="72"></label>
<button></button></form><p role="status">This page needs JavaScript, and a link out of a mail.</p></main>
<script src="/account/account.js"></script></body></html>
`;

const SCRIPT = `'use strict';
const WAYS = {
  verifyEmail: { path: 'verify-email', label: 'Confirm my address', done: 'Your address is confirmed.' },
  changeEmail: { path: 'change-email/confirm', label: 'Use this address', done: 'This is your address now.' },
  resetPassword: {
    path: 'reset-password/confirm', label: 'Set the new password', password: true,
    done: 'Your password is changed. Log in with it.',
  },
};
const [purpose, token] = location.hash.slice(1).split('=');
const way = Object.hasOwn(WAYS, purpose) ? WAYS[purpose] : undefined;
const [form, label, input, button, status] = ['form', 'label', 'input', 'button', '[role=status]'].map((selector) =>
  document.querySelector(selector));
// neither the history nor somebody who looks over a shoulder needs the token
history.replaceState(null, '', location.pathname);
status.textContent = way && token ? '' : 'Open this page by the link in a mail.';
if (way && token) {
  form.hidden = false;
  label.hidden = !way.password;
  input.required = Boolean(way.password);
  button.textContent = way.label;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    button.disabled = true;
    try {
      const answer = await fetch('/api/auth/' + way.path, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(way.password ? { token, newPassword: input.value } : { token }),
      });
      const problem = answer.ok ? undefined : await answer.json();
      form.hidden = answer.ok || problem.code === 'LINK_EXPIRED';
      const faults = (problem?.errors ?? []).map((error) => 'It ' + error.message + '.');
      status.textContent = problem ? [problem.detail, ...faults].join(' ') : way.done;
    } catch {
      status.textContent = 'The server could not be reached: try again.';
    }
    button.disabled = false;
  });
}
`;

const STYLE = `body { font-family: system-ui, sans-serif; line-height: 1.5; color: #1b1f27; background: #fff; margin: 0; }
main { max-width: 28rem; margin: 10vh auto; padding: 0 1.5rem; }
label { display: block; margin-bottom: 1rem; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; }
button { font: inherit; padding: .5rem 1rem; color: #fff; background: #3b5bdb; border: 0; border-radius: 4px; }
[hidden] { display: none; }
`;
