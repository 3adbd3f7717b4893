/**
 * Collation: how strings compare when a command or an index asks for a language's order. Supported: English, strengths 1 to 3 (1 ignores
 * case and accents, 2 ignores case). Two strings are equal iff their folded forms are; order is ICU's, through Intl.Collator.
 */
import { type Doc } from './bson-types';
import { MongoError, unsupported } from './errors';

export interface Collation {
  /** The specification in mongod's complete form, as listIndexes shows it. */
  spec: Doc;
  /** Equal strings have equal folded forms. */
  fold(text: string): string;
  compare(a: string, b: string): number;
}

const SENSITIVITY = { 1: 'base', 2: 'accent', 3: 'variant' } as const;
const MARKS = /\p{M}/gu;
const FOLDS = {
  1: (s: string) => s.normalize('NFKD').replace(MARKS, '').toLowerCase(),
  2: (s: string) => s.normalize('NFKC').toLowerCase().normalize('NFD'),
  3: (s: string) => s.normalize('NFD'),
};
/** Options whose default is the only value this server has. */
const DEFAULTS: Record<string, unknown> = {
  caseLevel: false,
  caseFirst: 'off',
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
};

/** `undefined` stands for simple comparison: by code point. */
export function parseCollation(spec: Doc | null | undefined): Collation | undefined {
  if (!spec) return undefined;
  const locale = spec.locale;
  if (typeof locale !== 'string') throw new MongoError(locale === undefined ? 40414 : 14, 'collation needs a locale');
  if (locale === 'simple') return undefined;
  if (!/^en(_|-|$)/.test(locale)) throw unsupported(`the collation locale '${locale}' (only 'simple' and 'en')`);
  for (const [name, value] of Object.entries(spec)) {
    if (name === 'locale' || name === 'strength' || name === 'version') continue;
    if (!(name in DEFAULTS)) throw new MongoError(40415, `BSON field 'collation.${name}' is an unknown field.`);
    if (value !== DEFAULTS[name]) throw unsupported(`the collation option '${name}'`);
  }
  return collationOf(locale, Number((spec.strength as { valueOf(): unknown } | undefined)?.valueOf() ?? 3));
}

const known = new Map<string, Collation>();

function collationOf(locale: string, strength: number): Collation {
  if (strength !== 1 && strength !== 2 && strength !== 3) {
    if (strength === 4 || strength === 5) throw unsupported(`collation strength ${strength}`);
    throw new MongoError(2, `Enumeration value '${strength}' for field 'collation.strength' is not a valid value.`);
  }
  const id = `${locale}/${strength}`;
  const found = known.get(id);
  if (found) return found;
  const { compare: order } = new Intl.Collator(locale.replace('_', '-'), { sensitivity: SENSITIVITY[strength] });
  const fold = FOLDS[strength];
  const compare = (a: string, b: string): number => {
    const x = fold(a);
    const y = fold(b);
    // strings that ICU alone takes for equal (ignorable characters) still need one order
    return x === y ? 0 : order(a, b) || (x < y ? -1 : 1);
  };
  const collation = { spec: { locale, strength, ...DEFAULTS, version: '57.1' }, fold, compare };
  known.set(id, collation);
  return collation;
}
