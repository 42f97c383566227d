/** Where commands print; tests stand in for it. */
export interface Terminal {
  out(line: string): void;
  err(line: string): void;
}

export const PROCESS_TERMINAL: Terminal = {
  out: (line) => process.stdout.write(`${line}\n`),
  err: (line) => process.stderr.write(`${line}\n`),
};

/** A table with columns as wide as their widest cell. Numbers align right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, c) => Math.max(title.length, ...rows.map((row) => row[c]!.length)));
  const isNumber = (text: string): boolean => /^[\d.,%\s-]+$/.test(text);
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => (isNumber(cell) ? cell.padStart(widths[c]!) : cell.padEnd(widths[c]!)))
      .join('  ')
      .trimEnd();
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...rows.map(line)].join('\n');
}
