import { describe, expect, it } from 'vitest';
import { inferMessage } from '../../../../bench/fuzz/protobuf-messages.ts';
import { SeededRandom } from '../../../../scripts/models/seeded-random.ts';
import type { Offload } from '../../../../src/core/offload.ts';
import { TURN_BYTES } from '../../../../src/core/turns.ts';
import { encodeInferResponse, inferResponsePieces } from '../../../../src/wire/oip/infer-response.ts';
import { AsideOffload, IN_PLACE } from '../../../support/offloads.ts';
import { Scene } from '../grpc/scene.ts';

async function seen(offload: Offload, message: Buffer): Promise<unknown> {
  const ctx = new Scene({ offload }).ask('ModelInfer', message);
  await ctx.codec.decode(ctx);
  if (ctx.fault !== null) return `${ctx.fault.code}: ${ctx.faultDetail}`;
  const request = ctx.request!;
  return { ...request, inputs: request.inputs.map((input) => ({ ...input, data: [...input.data] })) };
}

describe('a message whose typed contents are read aside', () => {
  it('becomes what it becomes in place', async () => {
    const random = new SeededRandom(5);
    const aside = new AsideOffload(0);
    for (let i = 0; i < 1_000; i++) {
      const message = inferMessage(random, 7);
      expect(await seen(aside, message)).toEqual(await seen(IN_PLACE, message));
    }
    expect(aside.ran.length).toBeGreaterThan(100);
  });

  it('is only one with typed contents: raw ones are taken as they lie', async () => {
    const aside = new AsideOffload(64);
    const raw = Buffer.alloc(1_000, 1);
    const head = Buffer.from([0x0a, 1, 0x6d, 0x2a, 8, 0x0a, 1, 0x78, 0x12, 3, 0x46, 0x50, 0x36]);
    await seen(aside, Buffer.concat([head, raw]));
    expect(aside.ran).toEqual([]);
  });
});

describe('a long answer', () => {
  it('is the same bytes in pieces', () => {
    const tensor = (name: string, size: number) => ({
      name,
      datatype: 'UINT8' as const,
      shape: [size],
      data: new Uint8Array(size).fill(size),
    });
    for (const outputs of [[], [tensor('a', 0)], [tensor('a', 3), tensor('b', 300)]]) {
      const answer = { model: 'm', version: '1', id: 'x', outputs };
      expect(Buffer.concat(inferResponsePieces(answer)).equals(encodeInferResponse(answer))).toBe(true);
    }
  });

  it('is put together in turns', async () => {
    const ctx = new Scene().ask('ModelInfer');
    ctx.request = { model: 'spam', id: '' } as never;
    ctx.answeredBy = { name: 'v1' } as never;
    const outputs = [{ name: 'y', datatype: 'UINT8' as const, shape: [TURN_BYTES + 1], data: new Uint8Array(TURN_BYTES + 1) }];
    ctx.prediction = { outputs, computeUs: 0 };
    const written = ctx.codec.encode(ctx);
    expect(written).toBeInstanceOf(Promise);
    await written;
    const answer = { model: 'spam', version: 'v1', id: '', outputs };
    expect(Buffer.compare(ctx.reply.pieces[0]!, encodeInferResponse(answer))).toBe(0);
  });
});
