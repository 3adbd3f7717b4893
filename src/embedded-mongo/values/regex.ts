/**
 * MongoDB's regular expressions are PCRE's; this rewrites one as a JavaScript RegExp that means the same, token by token: `.` and `\s` by PCRE's
 * narrower sets, `$` before a last newline, `x` (spaces and comments dropped), `\A \z \Z \h \Q…\E`, POSIX classes, `(?P<name>`, leading `(?i)`. What
 * JavaScript has no means for (possessive and atomic groups, recursion, conditions, verbs) is refused.
 */
import { MongoError, unsupported } from '../errors';

const POSIX: Record<string, string> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  punct: '!-\\/:-@\\[-`{-~',
  space: ' \\t\\n\\v\\f\\r',
  blank: ' \\t',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
};
const SPACE = ' \\t\\n\\v\\f\\r';
/** Escapes that are the same in both, with the `u` flag of JavaScript. */
const SAME = /^\\([bBdDwWtnrfv0]|x[\da-fA-F]{2}|[1-9]\d?|k<\w+>|[pP]\{\w+\}|[\^$\\.*+?()[\]{}|/])/;
const OUTSIDE: Record<string, string> = { A: '(?<![^])', z: '(?![^])', Z: '(?=\\n?(?![^]))', h: '[ \\t]', H: '[^ \\t]', s: `[${SPACE}]`, S: `[^${SPACE}]`, a: '\\x07', e: '\\x1b', N: '[^\\n]' }; // prettier-ignore
const INSIDE: Record<string, string> = { h: ' \\t', s: SPACE, a: '\\x07', e: '\\x1b', b: '\\b', '-': '\\-' };

interface Flags {
  i: boolean;
  m: boolean;
  s: boolean;
  x: boolean;
}

const cache = new Map<string, RegExp>();

/** Throws 51091 on a pattern or an option that mongod would not take either. */
export function compileRegex(pattern: string, options = ''): RegExp {
  const key = `${options}/${pattern}`;
  let regex = cache.get(key);
  if (!regex) {
    if (cache.size > 1000) cache.clear();
    cache.set(key, (regex = build(pattern, options)));
  }
  return regex;
}

function build(pattern: string, options: string): RegExp {
  const bad = /[^imsxu]/.exec(options);
  if (bad) throw new MongoError(51108, `invalid flag in regex options: ${bad[0]}`);
  const flags = {
    i: options.includes('i'),
    m: options.includes('m'),
    s: options.includes('s'),
    x: options.includes('x'),
  };
  const inline = /^\(\?([imsx]+)\)/.exec(pattern);
  for (const flag of inline?.[1] ?? '') flags[flag as keyof Flags] = true;
  const source = translate(pattern.slice(inline?.[0].length ?? 0), flags);
  try {
    return new RegExp(source, flags.i ? 'iu' : 'u');
  } catch (error) {
    throw new MongoError(51091, `Regular expression is invalid: ${(error as Error).message}`);
  }
}

function translate(pattern: string, flags: Flags): string {
  let out = '';
  for (let i = 0; i < pattern.length;) {
    const [text, length] = token(pattern, i, flags);
    out += text;
    i += length;
  }
  return out;
}

/** One token's translation and how many characters it took. */
function token(pattern: string, i: number, flags: Flags): [string, number] {
  const rest = pattern.slice(i);
  const c = pattern[i]!;
  if (c === '\\') return escape(rest);
  if (c === '[') return characterClass(rest);
  if (c === '(') return group(rest);
  if (c === '.') return [flags.s ? '[^]' : '[^\\n]', 1];
  if (c === '^') return [flags.m ? '(?<![^\\n])' : '(?<![^])', 1];
  if (c === '$') return [flags.m ? '(?![^\\n])' : '(?=\\n?(?![^]))', 1];
  if (flags.x && /\s/.test(c)) return ['', 1];
  if (flags.x && c === '#') return ['', /^#[^\n]*\n?/.exec(rest)![0].length];
  const quantifier = /^([*+?]|\{\d+(,\d*)?\})(\+?)/.exec(rest);
  if (quantifier) {
    if (quantifier[3]) throw unsupported('possessive quantifiers in regular expressions');
    return [quantifier[1]!, quantifier[1]!.length];
  }
  if ('{}]'.includes(c)) return [`\\${c}`, 1];
  return [c, 1];
}

function escape(rest: string): [string, number] {
  const quoted = /^\\Q([^]*?)(\\E|$)/.exec(rest);
  if (quoted) return [quoted[1]!.replace(/[\^$\\.*+?()[\]{}|/]/g, '\\$&'), quoted[0].length];
  const same = SAME.exec(rest);
  if (same) return [same[0], same[0].length];
  const c = rest[1];
  if (c === undefined) throw new MongoError(51091, 'Regular expression is invalid: \\ at end of pattern');
  if (OUTSIDE[c]) return [OUTSIDE[c], 2];
  if (/[A-Za-z0-9]/.test(c)) throw unsupported(`\\${c} in regular expressions`);
  return [c, 2];
}

function group(rest: string): [string, number] {
  if (rest.startsWith('(*')) throw unsupported('verbs in regular expressions');
  const comment = /^\(\?#[^)]*\)/.exec(rest);
  if (comment) return ['', comment[0].length];
  const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
  if (named) return [`(?<${named[1]}>`, named[0].length];
  const plain = /^\(\?(:|=|!|<=|<!)/.exec(rest);
  if (plain) return [plain[0], plain[0].length];
  if (rest.startsWith('(?')) throw unsupported(`the group ${rest.slice(0, 4)}… in regular expressions`);
  return ['(', 1];
}

function characterClass(rest: string): [string, number] {
  let i = rest[1] === '^' ? 2 : 1;
  let out = rest.slice(0, i);
  for (let first = true; i < rest.length; first = false) {
    const c = rest[i]!;
    if (c === ']' && !first) return [out + ']', i + 1];
    const posix = /^\[:(\w+):\]/.exec(rest.slice(i));
    if (posix?.[1] && POSIX[posix[1]]) {
      out += POSIX[posix[1]];
      i += posix[0].length;
    } else if (c === '\\') {
      const [text, length] = classEscape(rest.slice(i));
      out += text;
      i += length;
    } else {
      out += /[[\]^]/.test(c) ? `\\${c}` : c;
      i += 1;
    }
  }
  throw new MongoError(51091, 'Regular expression is invalid: missing terminating ] for character class');
}

function classEscape(rest: string): [string, number] {
  const c = rest[1];
  if (c !== undefined && INSIDE[c] !== undefined) return [INSIDE[c], 2];
  const same = /^\\([dDwWtnrfv0]|x[\da-fA-F]{2}|[pP]\{\w+\}|[\^$\\.*+?()[\]{}|/])/.exec(rest);
  if (same) return [same[0], same[0].length];
  if (c === undefined || /[A-Za-z0-9]/.test(c)) throw unsupported(`\\${c ?? ''} in a character class`);
  return [c, 2];
}
