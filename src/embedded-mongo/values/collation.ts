/**
 * Collation: how strings compare when a command or an index asks for a language's order. Any locale that Intl knows, strengths 1 to 3 (1 ignores
 * case and accents, 2 ignores case). Order is ICU's, through Intl.Collator; strings are equal iff their folded forms are.
 */
import { bsonTypeName, isString, toInteger, type Doc } from './bson-types';
import { MongoError, unsupported } from '../errors';

export interface Collation {
  /** The specification in mongod's complete form, as listIndexes shows it. */
  spec: Doc;
  /** Equal strings have equal folded forms. */
  fold(this: void, text: string): string;
  compare(this: void, a: string, b: string): number;
}

const SENSITIVITY = { 1: 'base', 2: 'accent', 3: 'variant' } as const;
type Strength = keyof typeof SENSITIVITY;
const DEFAULTS: Doc = {
  caseLevel: false,
  caseFirst: 'off',
  strength: 3,
  numericOrdering: false,
  alternate: 'non-ignorable',
  maxVariable: 'punct',
  normalization: false,
  backwards: false,
};
/** For the others, the default is the only value that this server has. */
const CHOICES = ['locale', 'version', 'strength', 'numericOrdering', 'caseFirst', 'caseLevel', 'alternate'];

/** `undefined` stands for simple comparison: by code point. */
export function parseCollation(spec: Doc | null | undefined): Collation | undefined {
  if (!spec || Object.keys(spec).length === 0) return undefined;
  const { locale } = spec;
  if (locale === undefined)
    throw new MongoError(40414, "BSON field 'collation.locale' is missing but a required field");
  if (!isString(locale))
    throw new MongoError(14, `BSON field 'collation.locale' is the wrong type '${bsonTypeName(locale)}'`);
  for (const [name, value] of Object.entries(spec)) {
    if (!CHOICES.includes(name) && !Object.hasOwn(DEFAULTS, name))
      throw new MongoError(9, `BSON field 'collation.${name}' is an unknown field.`);
    if (!CHOICES.includes(name) && value !== DEFAULTS[name]) throw unsupported(`the collation option '${name}'`);
  }
  const strength = 'strength' in spec ? toInteger(spec.strength) : 3;
  if (strength === 4 || strength === 5) throw unsupported(`collation strength ${strength}`);
  if (strength !== 1 && strength !== 2 && strength !== 3) {
    throw new MongoError(2, `Enumeration value for field 'collation.strength' is not a valid value.`);
  }
  if (locale === 'simple') return undefined;
  const { numericOrdering = false, caseFirst = 'off', caseLevel = false, alternate = 'non-ignorable' } = spec;
  if (typeof numericOrdering !== 'boolean')
    throw new MongoError(14, "BSON field 'collation.numericOrdering' is the wrong type");
  if (caseFirst !== 'off' && caseFirst !== 'upper' && caseFirst !== 'lower') {
    throw new MongoError(2, "Enumeration value for field 'collation.caseFirst' is not a valid value.");
  }
  if (alternate !== 'non-ignorable' && alternate !== 'shifted')
    throw new MongoError(2, "Enumeration value for field 'collation.alternate' is not a valid value.");
  if (typeof caseLevel !== 'boolean') throw new MongoError(14, "BSON field 'collation.caseLevel' is the wrong type");
  if (caseLevel && strength === 2) throw unsupported('caseLevel with collation strength 2');
  return collationOf(locale, { strength, numericOrdering, caseFirst, caseLevel, alternate });
}

interface Options {
  strength: Strength;
  numericOrdering: boolean;
  caseFirst: 'off' | 'upper' | 'lower';
  caseLevel: boolean;
  /** `shifted`: without spaces and punctuation. */
  alternate: 'non-ignorable' | 'shifted';
}

const known = new Map<string, Collation>();

function collationOf(locale: string, options: Options): Collation {
  const id = JSON.stringify([locale, options]);
  const found = known.get(id);
  if (found) return found;
  const { strength, numericOrdering: numeric, caseFirst, caseLevel } = options;
  const collator = collatorOf(locale, {
    sensitivity: caseLevel && strength === 1 ? 'case' : SENSITIVITY[strength],
    numeric,
    caseFirst: caseFirst === 'off' ? 'false' : caseFirst,
    ignorePunctuation: options.alternate === 'shifted',
  });
  const order = (a: string, b: string): number => collator.compare(a, b);
  const fold = folder(order, options, /^en\b/.test(locale));
  const compare = (a: string, b: string): number => {
    const x = fold(a);
    const y = fold(b);
    // strings that ICU alone takes for equal (ignorable characters) still need one order
    return x === y ? 0 : order(a, b) || (x < y ? -1 : 1);
  };
  const collation = { spec: { locale, ...DEFAULTS, ...options, version: '57.1' }, fold, compare };
  if (known.size < 100) known.set(id, collation);
  return collation;
}

const ORDERS: Record<string, string> = { phonebook: 'phonebk', traditional: 'trad', dictionary: 'dict' };

function collatorOf(locale: string, options: Intl.CollatorOptions): Intl.Collator {
  // some locales have more orders than one: `de@collation=phonebook`
  const [name = '', order] = locale.split('@collation=');
  const kind = order && (ORDERS[order] ?? order);
  const tag = name.replaceAll('_', '-') + (kind ? `-u-co-${kind}` : '');
  try {
    const collator = new Intl.Collator(tag, options);
    const isKnown = kind === undefined || collator.resolvedOptions().collation === kind;
    if (isKnown && Intl.Collator.supportedLocalesOf(tag).length > 0) return collator;
  } catch {
    // not even well-formed: answered below
  }
  throw new MongoError(2, `Field 'locale' is invalid in: { locale: "${locale}" }`);
}

// eslint-disable-next-line no-control-regex -- all of ASCII
const ASCII = /^[\x00-\x7f]*$/;
const MARKS = /\p{M}/gu;
/** What `shifted` passes over. */
const IGNORED = /[\s\p{P}]/gu;
/** Letters that some strengths take for two. */
const SPELT_OUT: Record<string, string> = { ß: 'ss', æ: 'ae', œ: 'oe', þ: 'th' };
/** A character with its accents. */
const CLUSTER = /\P{M}\p{M}*|\p{M}+/gu;

/** Writes each character in the plainest form that the language does not tell apart from it: for strength 2 `É` as `é`, for 1 as `e`. */
function folder(
  order: (a: string, b: string) => number,
  { strength, numericOrdering: numeric, caseLevel, alternate }: Options,
  english: boolean,
): (text: string) => string {
  const plain = new Map<string, string>();
  const plainest = (cluster: string): string => {
    const composed = cluster.normalize('NFC');
    const cased = caseLevel ? composed : composed.toLowerCase();
    const bare = cased.normalize('NFKD').replace(MARKS, '');
    const forms = [SPELT_OUT[cased] ?? bare, bare, cased.normalize('NFKC'), cased];
    return forms.find((form) => order(form, cluster) === 0) ?? composed;
  };
  const foldCluster = (cluster: string): string => {
    let form = plain.get(cluster);
    if (form === undefined && plain.size < 10_000) plain.set(cluster, (form = plainest(cluster)));
    return form ?? plainest(cluster);
  };
  const foldLetters = (given: string): string => {
    const text = alternate === 'shifted' ? given.replace(IGNORED, '') : given;
    if (strength === 3) return text.normalize('NFC');
    return english && ASCII.test(text) && !caseLevel ? text.toLowerCase() : text.replace(CLUSTER, foldCluster);
  };
  if (!numeric) return foldLetters;
  // numbers are equal whatever zeros they begin with
  return (text) => foldLetters(text).replace(/(?<!\d)0+(?=\d)/g, '');
}
