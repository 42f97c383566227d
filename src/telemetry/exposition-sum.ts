import { CATALOGUE, type MetricSpec } from './catalogue.ts';

/** How the gauges of several processes become one. */
type GaugeRule = 'sum' | 'max' | 'min';

const byName = (rule: GaugeRule, ...specs: readonly MetricSpec[]): [string, GaugeRule][] => specs.map(({ name }) => [name, rule]);

/** Those that a sum would make wrong; all others are amounts that several processes hold between them. */
const RULES: ReadonlyMap<string, GaugeRule> = new Map<string, GaugeRule>([
  ...byName('max', CATALOGUE.eventLoopDelay, CATALOGUE.eventLoopDelayMax, CATALOGUE.pressureLevel, CATALOGUE.memoryShare),
  ...byName('max', CATALOGUE.buildInfo, CATALOGUE.planWeight, CATALOGUE.planRevision),
  // Ready is what is ready everywhere.
  ...byName('min', CATALOGUE.variantReady, CATALOGUE.endpointHealthy),
  ['process_start_time_seconds', 'min'],
  ['process_max_fds', 'max'],
  ['nodejs_version_info', 'max'],
]);
/** Delays of the event loop: the slowest one is what a client may meet. */
const SLOWEST = /^nodejs_eventloop_lag/;

interface Family {
  /** HELP and TYPE lines as they came. */
  readonly head: readonly string[];
  readonly kind: string;
  /** Values by series, as `name{labels}`. */
  readonly samples: Map<string, number>;
}

/**
 * One Prometheus text exposition out of several: series with the same name and labels become one. Counters and histograms add up, those of
 * processes that are gone included, so that no counter ever falls.
 */
export class ExpositionSum {
  readonly #retired = new Map<string, Family>();

  /** A process has ended: its counters stay in the sum, its gauges go. */
  retire(text: string): void {
    add(this.#retired, text, false);
  }

  /** The sum of `texts` and of all that have retired. */
  total(texts: readonly string[]): string {
    const families = new Map<string, Family>();
    for (const [name, family] of this.#retired) families.set(name, { ...family, samples: new Map(family.samples) });
    for (const text of texts) add(families, text, true);
    let out = '';
    for (const { head, samples } of families.values()) {
      for (const line of head) out += `${line}\n`;
      for (const [series, value] of samples) out += `${series} ${written(value)}\n`;
      out += '\n';
    }
    return out;
  }
}

function add(families: Map<string, Family>, text: string, withGauges: boolean): void {
  let help = '';
  let name = '';
  /** Null where what follows does not count. */
  let family: Family | null = null;
  for (const line of text.split('\n')) {
    if (line.startsWith('# HELP ')) {
      help = line;
    } else if (line.startsWith('# TYPE ')) {
      const [, , named, kind] = line.split(' ');
      name = named!;
      family = kind === 'gauge' && !withGauges ? null : familyOf(families, name, kind!, [help, line]);
    } else if (line !== '' && family !== null) {
      const at = line.lastIndexOf(' ');
      const series = line.slice(0, at);
      const before = family.samples.get(series);
      const value = read(line.slice(at + 1));
      family.samples.set(series, before === undefined ? value : joined(name, family.kind, before, value));
    }
  }
}

function familyOf(families: Map<string, Family>, name: string, kind: string, head: readonly string[]): Family {
  let family = families.get(name);
  if (family === undefined) {
    family = { head, kind, samples: new Map() };
    families.set(name, family);
  }
  return family;
}

function joined(name: string, kind: string, a: number, b: number): number {
  if (kind !== 'gauge') return a + b;
  const rule = SLOWEST.test(name) ? 'max' : (RULES.get(name) ?? 'sum');
  switch (rule) {
    case 'sum':
      return a + b;
    case 'max':
      return Math.max(a, b);
    case 'min':
      return Math.min(a, b);
    default:
      return rule satisfies never;
  }
}

const read = (text: string): number => (text === '+Inf' ? Infinity : text === '-Inf' ? -Infinity : Number(text));

function written(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
}
