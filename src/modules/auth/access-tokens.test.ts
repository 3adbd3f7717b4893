import { manualClock } from '../../core/clock';
import { systemIds } from '../../core/ids';
import { createAccessTokens, type Claims } from './access-tokens';

const SECONDS = 900;
const secretOf = (letter: string) => letter.repeat(48);

function tokens(secret = secretOf('a'), clock = manualClock()) {
  const config = { keys: { current: { id: 'k1', secret } }, accessTokenSeconds: SECONDS };
  const made = createAccessTokens(config as never, clock);
  return { issue: (claims: Claims) => made.issue(claims), verify: (token: string) => made.verify(token), clock };
}

const newClaims = () => ({ userId: systemIds.id(), sessionId: systemIds.id() });

describe('access tokens', () => {
  test('say whose they are, as often as they are shown, each for itself', () => {
    const { issue, verify } = tokens();
    const [ann, bob] = [newClaims(), newClaims()];
    const [ofAnn, ofBob] = [issue(ann), issue(bob)];
    for (let time = 0; time < 3; time++) expect([verify(ofAnn), verify(ofBob)]).toEqual([ann, bob]);
  });

  test('end to the second, also where they were shown before', () => {
    const { issue, verify, clock } = tokens();
    const token = issue(newClaims());
    verify(token);
    clock.advance((SECONDS - 1) * 1000);
    verify(token);
    clock.advance(1000);
    for (let time = 0; time < 2; time++)
      expect(() => verify(token)).toThrow(expect.objectContaining({ code: 'TOKEN_EXPIRED' }));
  });

  test('of another key, or changed in one letter, are refused, also right after the good one', () => {
    const { issue, verify } = tokens();
    const token = issue(newClaims());
    verify(token);
    const foreign = tokens(secretOf('b')).issue(newClaims());
    const [head = '', payload = '', mark = ''] = token.split('.');
    const other = mark.startsWith('A') ? 'B' : 'A';
    for (const bad of [foreign, `${head}.${payload}.${other}${mark.slice(1)}`, ''])
      expect(() => verify(bad)).toThrow(expect.objectContaining({ code: 'UNAUTHENTICATED' }));
  });
});
