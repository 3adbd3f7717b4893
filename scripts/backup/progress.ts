/** Shows how far long work is: one line that is written over on a terminal, nothing where nobody looks. */
export interface Progress {
  tell: (count: number) => void;
  /** May be called twice. */
  end: () => void;
}

export function createProgress(what: string, out: NodeJS.WriteStream = process.stdout): Progress {
  let shown = false;
  return {
    tell(count) {
      if (!out.isTTY) return;
      out.write(`\r  ${count.toLocaleString('en')} ${what} `);
      shown = true;
    },
    end() {
      if (shown) out.write('\n');
      shown = false;
    },
  };
}
