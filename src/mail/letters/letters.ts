/** Every kind of letter, and what it is filled with. */
export interface Letters {
  verifyEmail: { link: string; hours: number };
  resetPassword: { link: string; minutes: number };
  /** To the new address. */
  changeEmail: { link: string; hours: number };
  /** To the old address. */
  emailChanged: { newAddress: string };
  passwordChanged: object;
  deletionRequested: { until: string };
  signInAdded: { provider: string };
  secondFactorChanged: { on: boolean };
}

export type LetterKind = keyof Letters;

/** A kind with what it is filled with. */
export type Letter = { [Kind in LetterKind]: { kind: Kind; values: Letters[Kind] } }[LetterKind];

/** A letter in one language: plain sentences, one paragraph each. `action` is what the link is labelled with. */
export interface Wording {
  subject: string;
  paragraphs: string[];
  action?: string;
}

/** One file per language. @param site what this place calls itself */
export interface Translation {
  greeting: (name: string) => string;
  /** Last line of every letter. */
  closing: (site: string) => string;
  letters: { [Kind in LetterKind]: (values: Letters[Kind], site: string) => Wording };
}
