/** One reading of a gateway's /metrics. */

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

type Labels = Readonly<Record<string, string>>;

const LINE = /^(\w+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /(\w+)="((?:[^"\\]|\\.)*)"/g;
const READ_LIMIT_MS = 10_000;

export class Scrape {
  readonly #samples: readonly Sample[];

  static async of(adminUrl: string): Promise<Scrape> {
    const response = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(READ_LIMIT_MS) });
    if (!response.ok) throw new Error(`${adminUrl}/metrics answered ${response.status}; expected 200.`);
    return new Scrape(await response.text());
  }

  constructor(text: string) {
    this.#samples = text.split('\n').flatMap((line) => {
      const match = LINE.exec(line);
      if (match === null) return [];
      const labels = Object.fromEntries([...(match[2] ?? '').matchAll(LABEL)].map(([, name, value]) => [name!, value!]));
      return [{ name: match[1]!, labels, value: Number(match[3]) }];
    });
  }

  /** The samples of a metric whose labels include `labels`. */
  rows(name: string, labels: Labels = {}): readonly Sample[] {
    const wanted = Object.entries(labels);
    return this.#samples.filter((each) => each.name === name && wanted.every(([key, value]) => each.labels[key] === value));
  }

  /** Their sum; 0 where there is none. */
  sum(name: string, labels: Labels = {}): number {
    return this.rows(name, labels).reduce((total, each) => total + each.value, 0);
  }
}
