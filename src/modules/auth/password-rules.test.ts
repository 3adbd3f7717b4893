import { dictionary } from '@zxcvbn-ts/language-common';
import { isAName, newPassword } from './password-rules';

const ann = { email: 'ann.smith@example.test', username: 'Annie_77', displayName: 'Ann of Ælfheim' };

test.each([
  ['Annie_77', true],
  ['ANNIE_77', true],
  ['annie2026!!', true],
  ['77Annie', true],
  ['ann.smith@example.test', true],
  ['Ann.Smith1', true],
  ['ann-smith-1990', true],
  ['AnnofÆlfheim', true],
  ['Ann of Ælfheim!', true],
  ['Play Place 1', true],
  ['playplace', true],
  ['annie likes horses', false],
  ['smith', false],
  ['12345678', false],
])('%j as the password of Annie: a name is %s', (password, name) => {
  expect(isAName(password, ann, 'Play Place')).toBe(name);
});

test('a name of digits, or of hardly a letter, is one as it is and with signs around, so that not every number is refused', () => {
  const owner = { email: '1@example.test', username: '20031999', displayName: 'p_68621a9' };
  expect(isAName('20031999', owner, 'Maoga')).toBe(true);
  expect(isAName('20031999!', owner, 'Maoga')).toBe(true);
  expect(isAName('P_68621a9!', owner, 'Maoga')).toBe(true);
  expect(isAName('p_68621a8!', owner, 'Maoga')).toBe(false);
  expect(isAName('20031998', owner, 'Maoga')).toBe(false);
});

test('each of the 10,000 commonest passwords is refused, by the list or by its length', () => {
  const commonest = dictionary['passwords-common'].slice(0, 10_000);
  expect(commonest).toHaveLength(10_000);
  expect(commonest.filter((password) => newPassword.safeParse(password).success)).toEqual([]);
});
