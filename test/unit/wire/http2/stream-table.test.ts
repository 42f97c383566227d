import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Numbered, StreamTable } from '../../../../src/wire/http2/stream-table.ts';
import { oldSpaceGrowth } from '../../../support/old-space-growth.ts';

interface Stream extends Numbered {
  readonly made: number;
}

/** Few numbers that collide in small tables, and some from the far end of what there is. */
const streamIds = fc.oneof(fc.nat(80), fc.constantFrom(0x7fff_ffff, 0x7fff_fffd, 0x7fff_ffdf, 0x3fff_ffff));
const byId = (streams: Iterable<Stream>): Stream[] => [...streams].sort((a, b) => a.streamId - b.streamId);

describe('StreamTable', () => {
  it('holds what a Map would hold, whatever is set and deleted in whatever order', () => {
    const steps = fc.array(fc.tuple(fc.boolean(), streamIds), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (all) => {
        const table = new StreamTable<Stream>();
        const model = new Map<number, Stream>();
        all.forEach(([sets, any], made) => {
          const streamId = any | 1;
          if (sets) {
            table.set({ streamId, made });
            model.set(streamId, { streamId, made });
          } else expect(table.delete(streamId)).toBe(model.delete(streamId));
          expect(table.size).toBe(model.size);
          expect(table.get(streamId)).toEqual(model.get(streamId) ?? null);
        });
        for (const [streamId, stream] of model) expect(table.get(streamId)).toEqual(stream);
        expect(byId(table.all())).toEqual(byId(model.values()));
      }),
    );
  });

  it('keeps a window of streams that moves on for ever in the places it has', () => {
    const table = new StreamTable<Stream>();
    for (let streamId = 1; streamId < 100_001; streamId += 2) {
      table.set({ streamId, made: streamId });
      if (streamId > 100) expect(table.delete(streamId - 100)).toBe(true);
    }
    expect(table.size).toBe(50);
    expect(table.all().every(({ streamId }) => table.get(streamId)?.made === streamId)).toBe(true);
  });

  it('lets streams that have ended be collected young', () => {
    const table = new StreamTable<Numbered & { readonly load: number[] }>();
    const grown = oldSpaceGrowth(20_000, (n) => {
      table.set({ streamId: n * 2 + 1, load: new Array<number>(100).fill(n) });
      if (n >= 64) table.delete((n - 64) * 2 + 1);
    });
    // All of them together have 16 MB.
    expect(grown).toBeLessThan(2_000_000);
  });
});
