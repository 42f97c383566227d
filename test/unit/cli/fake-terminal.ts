import type { Terminal } from '../../../src/cli/terminal.ts';

/** Keeps what commands print. */
export class FakeTerminal implements Terminal {
  readonly isLive: boolean;
  readonly lines: string[] = [];
  readonly errors: string[] = [];

  constructor(isLive = false) {
    this.isLive = isLive;
  }

  get text(): string {
    return this.lines.join('\n');
  }

  out(line: string): void {
    this.lines.push(line);
  }

  err(line: string): void {
    this.errors.push(line);
  }
}
