/** What the doctor found out about one thing: how it is, and what to do where it is not well. */
export interface Finding {
  about: string;
  state: 'ok' | 'warning' | 'failure';
  says: string;
  advice?: string;
}

export const ok = (about: string, says: string): Finding => ({ about, state: 'ok', says });
export const warning = (about: string, says: string, advice: string): Finding => ({
  about,
  state: 'warning',
  says,
  advice,
});
export const failure = (about: string, says: string, advice: string): Finding => ({
  about,
  state: 'failure',
  says,
  advice,
});

const MARKS = { ok: '✓', warning: '!', failure: '✗' } as const;

export function lineOf({ about, state, says, advice }: Finding): string {
  const line = `  ${MARKS[state]} ${about.padEnd(14)} ${says}`;
  return advice === undefined ? line : `${line}\n    ${' '.repeat(14)} -> ${advice}`;
}

export function sumOf(findings: readonly Finding[]): string {
  const count = (state: Finding['state']) => findings.filter((finding) => finding.state === state).length;
  const [failures, warnings] = [count('failure'), count('warning')];
  if (failures > 0) return `${failures} to mend${warnings > 0 ? `, ${warnings} to look at` : ''}.`;
  return warnings > 0 ? `It will run; ${warnings} to look at.` : 'All is well.';
}
