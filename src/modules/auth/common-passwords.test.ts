import { isCommon } from './common-passwords';

test.each([
  ['password', true],
  ['PassWord', true],
  ['12345678', true],
  ['qwertyuiop', true],
  ['iloveyou', true],
  ['Minecraft2026!', true],
  ['1337-Rocket-League', true],
  ['maoga123', true],
  ['four-purple-owls', false],
  ['minecraft is my life', false],
  ['correct horse', false],
  ['密码密码密码密码', false],
  ['__proto__', false],
])('%j is one of the first to be tried: %s', (password, common) => {
  expect(isCommon(password)).toBe(common);
});
