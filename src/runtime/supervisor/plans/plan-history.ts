import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../../telemetry/access-log.ts';
import { appendDurably, cutDurably, moveDurably, replaceDurably } from './durable-file.ts';
import { type HistoryText, readHistory } from './history-file.ts';
import { lineOf, type PlanRecord, recordOf, revisionIn } from './plan-record.ts';

/** The plan of a model that was in force last. */
export interface LastPlan {
  /** Null when none is known: there is no file, or it is damaged. */
  readonly record: PlanRecord | null;
  /** The last revision there was, also where its plan is not known; 0 without one. */
  readonly revision: number;
}

/** What is kept of a model. */
export interface PastOfModel {
  /** The newest first, from this revision on; each is read when it is asked for. */
  from(revision: number): Iterable<PlanRecord>;
  /** 0 where none is kept. */
  readonly oldest: number;
  readonly newest: number;
  /** What is wrong with it; empty when nothing is. */
  readonly problem: string;
}

export interface PlanHistoryOptions {
  readonly dir: string;
  /** Revisions of a model that stay. */
  readonly keep: () => number;
  readonly log: Pick<Log, 'warn' | 'error'>;
  readonly wallMs: () => number;
}

/**
 * The plans of all models, each in a file of its own that only grows, one line a revision, until its oldest lines are cut. A line is on the
 * disk before its plan takes effect, but for one that is held in memory until it can be written. A file that is not as it was written is
 * moved aside and never used.
 */
export class PlanHistory {
  readonly #o: PlanHistoryOptions;
  readonly #files = new Map<string, Opened>();

  constructor(options: PlanHistoryOptions) {
    this.#o = options;
  }

  /** Never throws: without its history a model begins with the plan of the config. */
  last(model: string): LastPlan {
    return this.#open(model);
  }

  /** Empty when it is on the disk, and else why it is not. */
  append(record: PlanRecord): string {
    const { model, revision } = record;
    const opened = this.#open(model);
    if (opened.blocked !== '') return opened.blocked;
    if (revision <= opened.revision) return `revision ${revision} is not behind the last one, ${opened.revision}`;
    const problem = this.#write(model, opened, [...opened.held, record]);
    if (problem !== '') return problem;
    opened.record = record;
    opened.revision = revision;
    return '';
  }

  /** Counts a plan as the last one that could not be written. It is written with the next that can be, and before it. */
  hold(record: PlanRecord): void {
    const opened = this.#open(record.model);
    if (record.revision <= opened.revision) return;
    opened.held = [...opened.held, record].slice(-MAX_HELD);
    opened.record = record;
    opened.revision = record.revision;
  }

  /** Writes what is held. Returns why something could not be written, or an empty text. */
  flush(): string {
    let problem = '';
    for (const model of this.#files.keys()) {
      const opened = this.#open(model);
      if (opened.held.length > 0) problem = opened.blocked === '' ? this.#write(model, opened, opened.held) : opened.blocked;
    }
    return problem;
  }

  /** The newest records first. */
  async list(model: string, limit: number): Promise<{ readonly records: readonly PlanRecord[]; readonly problem: string }> {
    const past = await this.past(model);
    const records: PlanRecord[] = [];
    for (const record of past.from(Number.POSITIVE_INFINITY)) {
      if (records.length === limit) break;
      records.push(record);
    }
    return { records, problem: past.problem };
  }

  async past(model: string): Promise<PastOfModel> {
    // Before the file is read: what is written meanwhile stands in both then, and is found by its revision.
    const { held } = this.#open(model);
    const { lines, problem } = await this.#read(model);
    const last = lines.length === 0 ? 0 : revisionIn(lines.at(-1)!);
    const later = held.filter(({ revision }) => revision > last);
    return {
      from: (revision) => recordsFrom(model, lines, later, revision),
      oldest: lines.length === 0 ? (later[0]?.revision ?? 0) : revisionIn(lines[0]!),
      newest: later.at(-1)?.revision ?? last,
      problem,
    };
  }

  /** Those that count as kept, oldest first. */
  async #read(model: string): Promise<{ readonly lines: readonly Buffer[]; readonly problem: string }> {
    const { blocked } = this.#open(model);
    try {
      const { lines, damage } = readHistory(await readFile(this.#fileOf(model)), model);
      return { lines: lines.slice(-this.#o.keep()), problem: damage === '' ? blocked : `${this.#fileOf(model)}: ${damage}` };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      return { lines: [], problem: code === 'ENOENT' ? blocked : this.#problem(model, error) };
    }
  }

  /** Looks again where a file could not be read or mended before: somebody may have made room, or let us in. */
  #open(model: string): Opened {
    const known = this.#files.get(model);
    if (known !== undefined && known.blocked === '') return known;
    const opened = this.#begin(model, known?.blocked ?? '');
    if (known !== undefined) this.#holdOn(known, opened);
    this.#files.set(model, opened);
    return opened;
  }

  /** What was held in memory while the file could not be read, as far as it is behind what the file turns out to have. */
  #holdOn({ held }: Opened, opened: Opened): void {
    opened.held = held.filter(({ revision }) => revision > opened.revision);
    const last = opened.held.at(-1);
    if (last === undefined) return;
    opened.record = last;
    opened.revision = last.revision;
  }

  #write(model: string, opened: Opened, records: readonly PlanRecord[]): string {
    try {
      appendDurably(this.#fileOf(model), Buffer.concat(records.map(lineOf)));
    } catch (error) {
      return this.#problem(model, error);
    }
    opened.held = [];
    opened.lines += records.length;
    this.#cut(model, opened);
    return '';
  }

  /** What was said already is not said again. */
  #begin(model: string, said: string): Opened {
    const file = this.#fileOf(model);
    let bytes: Buffer;
    try {
      bytes = readFileSync(file);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') return { ...NOTHING };
      const blocked = this.#problem(model, error);
      if (blocked !== said)
        this.#o.log.error('plan history cannot be read; the model begins with the plan of the config', {
          model,
          reason: blocked,
        });
      return { ...NOTHING, blocked };
    }
    const text = readHistory(bytes, model);
    if (text.damage !== '') return this.#quarantine(model, text);
    const last = text.lines.at(-1);
    return {
      held: [],
      record: last === undefined ? null : recordOf(last, model),
      revision: text.lastRevision,
      lines: text.lines.length,
      blocked: text.tornBytes === 0 ? '' : this.#cutTorn(model, text),
    };
  }

  #cutTorn(model: string, { wholeBytes, tornBytes }: HistoryText): string {
    const file = this.#fileOf(model);
    this.#o.log.warn('plan history ended in the middle of a line; that change never took effect', { model, file, tornBytes });
    try {
      cutDurably(file, wholeBytes);
      return '';
    } catch (error) {
      const blocked = this.#problem(model, error);
      this.#o.log.error('plan history cannot be written; changes of the plan are refused', { model, reason: blocked });
      return blocked;
    }
  }

  #quarantine(model: string, { damage, lastRevision }: HistoryText): Opened {
    const file = this.#fileOf(model);
    const time = new Date(this.#o.wallMs()).toISOString().replaceAll(':', '');
    const aside = join(this.#o.dir, 'damaged', `${model}-${time}.jsonl`);
    const told = { model, file, damage, lastRevision };
    try {
      moveDurably(file, aside);
      this.#o.log.error('PLAN HISTORY IS DAMAGED and was moved aside; the model begins with the plan of the config', {
        ...told,
        movedTo: aside,
      });
      return { ...NOTHING, revision: lastRevision };
    } catch (error) {
      const blocked = `${file} is damaged (${damage}) and cannot be moved aside: ${codeOf(error)}`;
      this.#o.log.error('PLAN HISTORY IS DAMAGED; the model begins with the plan of the config, and changes of it are refused', {
        ...told,
        reason: blocked,
      });
      return { ...NOTHING, revision: lastRevision, blocked };
    }
  }

  /** A quarter more than is kept may stand in the file, so that it is not written anew for each change. */
  #cut(model: string, opened: Opened): void {
    const keep = this.#o.keep();
    if (opened.lines < keep + Math.max(1, keep / 4)) return;
    const file = this.#fileOf(model);
    try {
      const { lines, damage } = readHistory(readFileSync(file), model);
      // What is damaged is left for the next start to say.
      if (damage !== '') return;
      const kept = lines.slice(-keep);
      replaceDurably(file, Buffer.concat(kept.flatMap((line) => [line, NEW_LINE])));
      opened.lines = kept.length;
    } catch (error) {
      this.#o.log.warn('plan history could not be shortened; it grows on', { model, reason: this.#problem(model, error) });
    }
  }

  #fileOf(model: string): string {
    return join(this.#o.dir, `${model}.jsonl`);
  }

  #problem(model: string, error: unknown): string {
    return `${this.#fileOf(model)}: ${codeOf(error)}`;
  }
}

const NEW_LINE = Buffer.from('\n');
/** Changes without a written line, at most; older ones are forgotten. */
const MAX_HELD = 100;

/** Later ones are in memory still. */
function* recordsFrom(
  model: string,
  lines: readonly Buffer[],
  later: readonly PlanRecord[],
  revision: number,
): Generator<PlanRecord, void> {
  for (let i = later.length - 1; i >= 0; i--) if (later[i]!.revision <= revision) yield later[i]!;
  for (let i = lines.length - 1; i >= 0; i--) if (revisionIn(lines[i]!) <= revision) yield* readable(lines[i]!, model);
}

/** None when somebody has put another model's line there. */
function readable(line: Buffer, model: string): readonly PlanRecord[] {
  try {
    return [recordOf(line, model)];
  } catch {
    // A start looks at the last line alone; what cannot be gone back to is not shown.
    return [];
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? (error as Error).message;

interface Opened {
  record: PlanRecord | null;
  revision: number;
  /** In the file. */
  lines: number;
  /** Plans that took effect and are on no disk yet, oldest first. */
  held: readonly PlanRecord[];
  /** Why nothing can be written; empty when it can. */
  readonly blocked: string;
}

const NOTHING: Opened = { record: null, revision: 0, lines: 0, held: [], blocked: '' };
