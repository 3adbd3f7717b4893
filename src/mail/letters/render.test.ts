import type { Letter } from './letters';
import { render } from './render';

const LETTERS: Letter[] = [
  { kind: 'verifyEmail', values: { link: 'https://play.example/account#verifyEmail=t&x="', hours: 48 } },
  { kind: 'resetPassword', values: { link: 'https://play.example/account#resetPassword=t', minutes: 30 } },
  { kind: 'changeEmail', values: { link: 'https://play.example/account#changeEmail=t', hours: 24 } },
  { kind: 'emailChanged', values: { newAddress: '<ann>@example.test' } },
  { kind: 'passwordChanged', values: {} },
  { kind: 'deletionRequested', values: { until: '2026-01-15' } },
  { kind: 'signInAdded', values: { provider: '<Guild>' } },
  { kind: 'secondFactorChanged', values: { on: true } },
];
const reader = { name: '<Ann>', languages: ['en'], site: 'Play & Co' };

describe.each(['en', 'de'])('a letter in %s', (language) => {
  test.each(LETTERS)('$kind says all that it was filled with, as text and as escaped HTML', (letter) => {
    const { subject, text, html } = render(letter, { ...reader, languages: [language] });
    expect(subject).toContain('Play & Co');
    expect(subject).not.toMatch(/[\r\n]/);
    for (const value of Object.values(letter.values))
      if (typeof value !== 'boolean') expect(text).toContain(String(value));
    expect(text).toContain('<Ann>');
    expect(html).toContain('&lt;Ann&gt;');
    expect(html).not.toMatch(/<Ann>|<ann>|<Guild>|x="/);
    expect(html).toContain(`<html lang="${language}">`);
    expect(html.includes('<a href=')).toBe('link' in letter.values);
  });

  test('has other words than the other language', () => {
    const other = language === 'en' ? 'de' : 'en';
    for (const letter of LETTERS)
      expect(render(letter, { ...reader, languages: [language] }).subject).not.toBe(
        render(letter, { ...reader, languages: [other] }).subject,
      );
  });
});

test.each([
  [['fr', 'de-CH', 'en'], 'de'],
  [[], 'en'],
  [['__proto__', 'constructor'], 'en'],
])('somebody who speaks %j is written to in %s', (languages, language) => {
  expect(render(LETTERS[4]!, { ...reader, languages }).html).toContain(`<html lang="${language}">`);
});
