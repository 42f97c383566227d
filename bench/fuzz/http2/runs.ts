/** What two runs of one connection have to have in common: frames by stream, without those that say when and not what. */

const STREAM = /^(headers|data|reset) (\d+)/;

/** `lines` as FrameLog writes them. DATA of a stream is joined, and windows are left out: when they are widened is a matter of turns. */
export function byStream(lines: readonly string[]): Record<string, string[]> {
  const said: Record<string, string[]> = {};
  for (const line of lines) {
    if (line.startsWith('window')) continue;
    const streamId = STREAM.exec(line)?.[2] ?? '0';
    said[streamId] ??= [];
    const events = said[streamId];
    const data = /^data \d+ flow=\d+ ([0-9a-f]*) end=(.*)$/.exec(line);
    if (data === null) events.push(line);
    else if (events.at(-1)?.startsWith('data ')) events[events.length - 1] += data[1]!;
    else events.push(`data ${data[1]}`);
    if (data?.[2] === 'true') events.push('end');
  }
  return said;
}
