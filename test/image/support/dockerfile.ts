/** A Dockerfile as stages of instructions, as far as this project's go. */
export interface Instruction {
  keyword: string;
  /** `--from=build` as `{ from: 'build' }` */
  flags: Record<string, string>;
  /** What follows the flags, on one line. */
  rest: string;
}

export interface Stage {
  name: string;
  base: string;
  instructions: Instruction[];
}

export function parseDockerfile(text: string): Stage[] {
  const lines = text
    .replace(/^\s*#.*\n/gm, '')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const { keyword, flags, rest } = parseLine(line);
    if (keyword === 'FROM') {
      const [base = '', name = ''] = rest.split(/\s+AS\s+/i);
      stages.push({ base, name, instructions: [] });
    } else stages.at(-1)?.instructions.push({ keyword, flags, rest });
  }
  return stages;
}

function parseLine(line: string): Instruction {
  const [, keyword = '', flagText = '', rest = ''] = /^(\w+)\s+((?:--\w[\w-]*=\S+\s+)*)(.*)$/.exec(line) ?? [];
  const flags = Object.fromEntries([...flagText.matchAll(/--([\w-]+)=(\S+)/g)].map(([, name, value]) => [name, value]));
  return { keyword: keyword.toUpperCase(), flags, rest };
}

/** `["node", "main.js"]`; the form with a shell is refused, because a shell in between swallows signals. */
export function execForm(rest: string): string[] {
  if (!rest.startsWith('[')) throw new Error(`not in the form of a JSON list: ${rest}`);
  return JSON.parse(rest) as string[];
}

/** `A=b C="d e"` */
export function pairs(rest: string): Record<string, string> {
  return Object.fromEntries(
    [...rest.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map(([, name, quoted, bare]) => [name, quoted ?? bare ?? '']),
  );
}
