import { de } from './de';
import { en } from './en';
import type { Letter, Translation, Wording } from './letters';

/** Languages that letters are written in: a new one is a file beside these, and a line here. */
const TRANSLATIONS: Record<string, Translation> = { en, de };

export interface Rendered {
  subject: string;
  text: string;
  html: string;
}

/** @param languages what the reader speaks, best first (BCP 47); English where none of them is there */
export function render(
  { kind, values }: Letter,
  { name, languages, site }: { name: string; languages: readonly string[]; site: string },
): Rendered {
  const spoken = languages.map((tag) => tag.toLowerCase().split('-')[0] ?? '');
  const language = spoken.find((tag) => Object.hasOwn(TRANSLATIONS, tag)) ?? 'en';
  const { greeting, closing, letters } = TRANSLATIONS[language] ?? en;
  const wording = (letters[kind] as (values: Letter['values'], site: string) => Wording)(values, site);
  const link = 'link' in values ? values.link : undefined;
  const opening = [greeting(name), ...wording.paragraphs];
  return {
    subject: wording.subject,
    text: [
      ...opening,
      ...(link === undefined ? [] : [`${wording.action ?? ''}: ${link}`]),
      `-- \n${closing(site)}`,
    ].join('\n\n'),
    html: page(language, wording, opening, link, closing(site)),
  };
}

function page(
  language: string,
  { subject, action = '' }: Wording,
  opening: string[],
  link = '',
  closing: string,
): string {
  const button = `<p><a href="${escape(link)}">${escape(action)}</a></p><p><small>${escape(link)}</small></p>`;
  return `<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><title>${escape(subject)}</title></head>
<body style="font-family: sans-serif; line-height: 1.5; max-width: 36rem">
${opening.map((paragraph) => `<p>${escape(paragraph)}</p>`).join('\n')}
${link === '' ? '' : button}
<hr><p><small>${escape(closing)}</small></p>
</body></html>
`;
}

function escape(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}
