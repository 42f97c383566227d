import type { Tallied, VariantStatistics } from '../../core/statistics.ts';
import { finish, newWriter, openField, type Writer, writeCount, writeText } from './message-writer.ts';

/** Statistics of one variant. */
export interface NamedStatistics {
  readonly model: string;
  readonly version: string;
  readonly statistics: VariantStatistics;
}

const NS_PER_US = 1_000;

/** ModelStatisticsResponse. What only the backend could tell (copying tensors in and out, its batches, its memory) is left out. */
export function encodeModelStatistics(entries: readonly NamedStatistics[]): Buffer {
  const writer = newWriter();
  for (let i = 0; i < entries.length; i++) writeEntry(writer, entries[i]!);
  return finish(writer);
}

function writeEntry(writer: Writer, { model, version, statistics }: NamedStatistics): void {
  openField(writer, 1);
  writeText(writer, 1, model);
  writeText(writer, 2, version);
  writeCount(writer, 3, statistics.lastAnswerMs);
  writeCount(writer, 4, statistics.rows);
  writeCount(writer, 5, statistics.compute.count);
  openField(writer, 6);
  writeDuration(writer, 1, statistics.success);
  writeDuration(writer, 2, statistics.fail);
  writeDuration(writer, 3, statistics.queue);
  writeDuration(writer, 5, statistics.compute);
  writeDuration(writer, 7, statistics.cacheHit);
  writeDuration(writer, 8, statistics.cacheMiss);
  writer.ldelim().ldelim();
}

/** StatisticDuration, written even where it is empty: clients take an absent one for "not measured". */
function writeDuration(writer: Writer, field: number, tallied: Tallied): void {
  openField(writer, field);
  writeCount(writer, 1, tallied.count);
  // The clock has fractions of a microsecond; the field has whole nanoseconds.
  writeCount(writer, 2, Math.round(tallied.us * NS_PER_US));
  writer.ldelim();
}
