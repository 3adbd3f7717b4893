/**
 * `$text`: documents in whose indexed fields one of the words stands, and every phrase, and nothing that is negated; scored as mongod's text index
 * scores them. The index says which fields and how much each counts; every document that the rest of the filter finds is read.
 */
import { isArray, isDoc, isString, toDouble, type Doc, type Value } from '../values/bson-types';
import { pathParts } from '../values/paths';
import { foldText, wordsOf, type WordOptions } from '../values/words';
import { type Collection } from '../storage/collection';
import { checkLanguage } from '../storage/index-kinds';
import { type IndexSpec } from '../storage/index-spec';
import { MongoError } from '../errors';
import { compileFilter } from '../filters/match';

export interface TextSearch {
  /** The filter without it. */
  rest: Doc;
  /** Undefined for a document that it does not find. */
  score(this: void, doc: Doc): number | undefined;
}

/** What a search asks for. */
interface Asked {
  words: string[];
  phrases: string[];
  notWords: string[];
  notPhrases: string[];
}

/** The `$text` of a filter, at its top; undefined if there is none. @throws 27 for a collection without a text index */
export function textOf(filter: Doc, collection: Collection | undefined): TextSearch | undefined {
  const found = takeText(filter);
  if (!found) return undefined;
  const { rest, text } = found;
  const options = optionsOf(text);
  if (!collection) return { rest, score: () => undefined };
  const spec = collection.indexes.map((index) => index.spec).find(({ kind, hidden }) => kind === 'text' && !hidden);
  if (!spec) throw new MongoError(27, 'text index required for $text query');
  return { rest, score: scorer(text.$search as string, options, spec) };
}

function takeText(filter: Doc): { rest: Doc; text: Doc } | undefined {
  if ('$text' in filter) {
    const { $text: text, ...rest } = filter;
    if (!isDoc(text)) throw new MongoError(2, '$text expects an object');
    return { rest, text };
  }
  if (!isArray(filter.$and)) return undefined;
  const branches = filter.$and.map((branch) => (isDoc(branch) ? takeText(branch) : undefined));
  const at = branches.findIndex((branch) => branch !== undefined);
  if (at < 0) return undefined;
  return { rest: { ...filter, $and: filter.$and.with(at, branches[at]!.rest) }, text: branches[at]!.text };
}

function optionsOf(text: Doc): Partial<WordOptions> {
  const { $search, $language, $caseSensitive = false, $diacriticSensitive = false, ...others } = text;
  if (!isString($search)) throw new MongoError($search === undefined ? 4 : 14, '"$search" had the wrong type or is missing. Expected string'); // prettier-ignore
  if ($language !== undefined) checkLanguage($language);
  if (typeof $caseSensitive !== 'boolean' || typeof $diacriticSensitive !== 'boolean')
    throw new MongoError(14, '$caseSensitive and $diacriticSensitive have to be of type bool');
  if (Object.keys(others).length > 0) throw new MongoError(2, 'extra fields in $text');
  const language = $language === undefined ? {} : { language: $language as string };
  return { ...language, withCase: $caseSensitive, withDiacritics: $diacriticSensitive };
}

/** Words, and phrases in quotes; a minus before one of them, and not within a word, excludes it. */
function readSearch(search: string, options: WordOptions): Asked {
  const asked: Asked = { words: [], phrases: [], notWords: [], notPhrases: [] };
  for (const { 1: minus, 2: phrase, 3: word = '', index } of search.matchAll(/(-?)"([^"]*)"?|([^\s"]+)/g)) {
    const begins = index === 0 || /\s/.test(search[index - 1]!);
    if (phrase !== undefined) {
      const excluded = minus !== '' && begins;
      (excluded ? asked.notPhrases : asked.phrases).push(phrase);
      if (!excluded) asked.words.push(...wordsOf(phrase, options));
    } else {
      const excluded = begins && word.startsWith('-');
      (excluded ? asked.notWords : asked.words).push(...wordsOf(word, options));
    }
  }
  return asked;
}

function scorer(search: string, given: Partial<WordOptions>, spec: IndexSpec): TextSearch['score'] {
  const { weights, default_language: usual } = spec.described;
  const options: WordOptions = { language: usual as string, ...given };
  const asked = readSearch(search, options);
  const accepts = spec.partial ? compileFilter(spec.partial) : () => true;
  const plain: WordOptions = { language: usual as string };
  const words = new Set(readSearch(search, { ...options, withCase: false, withDiacritics: false }).words);
  return (doc) => {
    if (!accepts(doc)) return undefined;
    const texts = Object.entries(weights as Doc).flatMap(([path, weight]) =>
      textsAt(doc, path).map((text) => ({ text, weight: toDouble(weight) })),
    );
    if (!passes(asked, texts.map(({ text }) => text), options)) return undefined; // prettier-ignore
    const scores = new Map<string, number>();
    for (const { text, weight } of texts) addScores(scores, text, weight, plain);
    return [...words].reduce((sum, word) => sum + (scores.get(word) ?? 0), 0);
  };
}

/** The strings at a path, through arrays; at `$**` all that there are. */
function textsAt(value: Value, path: string): string[] {
  if (path === '$**') return textsBelow(value);
  const visit = (at: Value, parts: string[]): string[] => {
    if (isArray(at)) return at.flatMap((item) => visit(item, parts));
    const [part, ...rest] = parts;
    if (part === undefined) return isString(at) ? [at] : [];
    return isDoc(at) && Object.hasOwn(at, part) ? visit(at[part], rest) : [];
  };
  return visit(value, pathParts(path));
}

function textsBelow(value: Value): string[] {
  if (isString(value)) return [value];
  return isArray(value) || isDoc(value) ? Object.values(value).flatMap(textsBelow) : [];
}

function passes(asked: Asked, texts: string[], options: WordOptions): boolean {
  const there = new Set(texts.flatMap((text) => wordsOf(text, options)));
  const folded = texts.map((text) => foldText(text, options));
  const has = (phrase: string): boolean => folded.some((text) => text.includes(foldText(phrase, options)));
  return (
    asked.words.some((word) => there.has(word)) &&
    asked.phrases.every(has) &&
    !asked.notWords.some((word) => there.has(word)) &&
    !asked.notPhrases.some(has)
  );
}

/** Each further time that a word stands in a text counts half of the time before; the more of the text it is, the more it counts. */
function addScores(scores: Map<string, number>, text: string, weight: number, options: WordOptions): void {
  const words = wordsOf(text, options);
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  for (const [word, count] of counts) {
    const frequency = 2 - 2 ** (1 - count);
    const share = (0.5 * count) / words.length + 0.5;
    const isWhole = text.toLowerCase() === word ? 1.1 : 1;
    scores.set(word, (scores.get(word) ?? 0) + weight * frequency * share * isWhole);
  }
}
