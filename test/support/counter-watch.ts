import type { GatewayUnderTest } from './gateway-under-test.ts';

/** Between two scrapes. */
const STEP_MS = 1_000;

/** Scrapes a gateway again and again, and notes every counter that is less than it was, or gone. */
export class CounterWatch {
  readonly falls: string[] = [];
  scrapes = 0;
  readonly #gateway: GatewayUnderTest;
  readonly #done: Promise<void>;
  #last = new Map<string, number>();
  #running = true;

  constructor(gateway: GatewayUnderTest) {
    this.#gateway = gateway;
    this.#done = this.#run();
  }

  /** Scrapes once more, and no more. */
  async stop(): Promise<void> {
    this.#running = false;
    await this.#done;
    await this.#scrape();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      await this.#scrape();
      await new Promise((done) => setTimeout(done, STEP_MS));
    }
  }

  async #scrape(): Promise<void> {
    const response = await fetch(`${this.#gateway.adminUrl}/metrics`);
    const now = countersIn(await response.text());
    for (const [series, before] of this.#last) {
      const value = now.get(series) ?? Number.NaN;
      if (!(value >= before)) this.falls.push(`${series} from ${before} to ${value}`);
    }
    this.#last = now;
    this.scrapes++;
  }
}

/** The series of counters and of histograms, which count too. */
function countersIn(text: string): Map<string, number> {
  const found = new Map<string, number>();
  let counts = false;
  for (const line of text.split('\n')) {
    if (line.startsWith('# TYPE ')) counts = !line.endsWith(' gauge') && !line.endsWith(' summary');
    else if (counts && line !== '' && !line.startsWith('#')) {
      const at = line.lastIndexOf(' ');
      // A sum of seconds is one of fractions, and adds up otherwise in another order.
      if (!/_sum(\{|$)/.test(line.slice(0, at))) found.set(line.slice(0, at), Number(line.slice(at + 1)));
    }
  }
  return found;
}
