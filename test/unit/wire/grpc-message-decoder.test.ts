import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MessageDecoder } from '../../../src/wire/grpc/message-decoder.ts';

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

function fed(decoder: MessageDecoder, bytes: Uint8Array, cuts: readonly number[]): Buffer[] {
  const messages: Buffer[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    messages.push(...decoder.write(bytes.subarray(from, to)));
    from = to;
  }
  return messages;
}

describe('the decoder of messages', () => {
  it('finds the same messages however their bytes are cut', () => {
    const messages = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 6 });
    fc.assert(
      fc.property(messages, fc.array(fc.nat({ max: 200 }), { maxLength: 10 }), (given, anyCuts) => {
        const frames = given.map(framed);
        const bytes = Buffer.concat(frames);
        const cuts = anyCuts.filter((cut) => cut <= bytes.length).sort((a, b) => a - b);
        expect(fed(new MessageDecoder(-1), bytes, cuts)).toEqual(frames);
      }),
    );
  });

  it('puts large messages together piece by piece, with others around them', () => {
    const large = Buffer.alloc(3_000_000, 'large');
    const frames = [framed(Buffer.from('a')), framed(large), framed(large), framed(Buffer.from('b'))];
    const bytes = Buffer.concat(frames);
    const cuts = Array.from({ length: Math.floor(bytes.length / 16_384) }, (_, i) => (i + 1) * 16_384);
    const found = fed(new MessageDecoder(-1), bytes, cuts);
    expect(found.map((message, i) => message.equals(frames[i]!))).toEqual([true, true, true, true]);
  });

  it('takes memory for what came, and not for what a length claims', () => {
    const before = process.memoryUsage().external;
    const decoders = Array.from({ length: 64 }, () => new MessageDecoder(-1));
    const head = Buffer.from([0, 0x40, 0, 0, 0]);
    for (const decoder of decoders) expect(decoder.write(Buffer.concat([head, Buffer.alloc(1_000)]))).toEqual([]);
    expect(process.memoryUsage().external - before).toBeLessThan(64 * 1_048_576);
  });

  it('throws at a message that is too large, in the words of the package', () => {
    expect(() => new MessageDecoder(3).write(framed(Buffer.alloc(4)))).toThrow('Received message larger than max (4 vs 3)');
    expect(new MessageDecoder(4).write(framed(Buffer.alloc(4)))).toHaveLength(1);
  });
});
