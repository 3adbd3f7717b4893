import { readFileSync } from 'node:fs';

/**
 * Values from files, as platforms mount secrets: `NAME_FILE=/run/secrets/name` stands for `NAME=<what is in that file>`.
 * @param values not changed
 * @param names of the variables for which this holds
 * @returns the values with those of the files, and what is wrong with any of them
 */
export function fromFiles(
  values: Record<string, string>,
  names: readonly string[],
): { values: Record<string, string>; faults: string[] } {
  const found: Record<string, string> = {};
  const faults: string[] = [];
  for (const name of names) {
    const file = values[`${name}_FILE`];
    if (file === undefined) continue;
    if (values[name] !== undefined) faults.push(`${name}: is set, and so is ${name}_FILE: keep one of them`);
    else {
      const text = read(file);
      if (text === undefined) faults.push(`${name}: ${name}_FILE names ${file}, which cannot be read`);
      else if (text === '') faults.push(`${name}: ${name}_FILE names ${file}, which is empty`);
      else found[name] = text;
    }
  }
  return { values: { ...values, ...found }, faults };
}

/** Without the end of line that an editor or `echo` leaves. */
function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch {
    return undefined;
  }
}
