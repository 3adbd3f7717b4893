import { createServer } from 'node:http';
import Provider from 'oidc-provider';

/**
 * A real OpenID Connect provider on this machine, in a process of its own; prints its address as a line. Whoever logs in as
 * `ann` has the address ann@idp.test, verified unless the name begins with `unverified`, none where it begins with `mute`.
 * Usage: node oidc-provider.mjs <redirect URI> …
 */
const redirectUris = process.argv.slice(2);
const server = createServer().listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  const provider = new Provider(issuer, {
    clients: [{ client_id: 'maoga', client_secret: 'a-client-secret', redirect_uris: redirectUris }],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    pkce: { required: () => true },
    cookies: { keys: ['test'] },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({
        sub: id,
        name: id,
        ...(id.startsWith('mute') ? {} : { email: `${id}@idp.test`, email_verified: !id.startsWith('unverified') }),
      }),
    }),
  });
  server.on('request', provider.callback());
  process.stdout.write(`${issuer}\n`);
});
// ends with the process that started it
process.stdin.on('end', () => process.exit()).resume();
