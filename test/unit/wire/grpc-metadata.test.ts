import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GrpcStatus, grpcStatusName } from '../../../src/core/grpc-status.ts';
import { toMetadata } from '../../../src/wire/grpc/metadata.ts';

const RESERVED = [
  '__proto__',
  'connection',
  'content-length',
  'content-type',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'te',
];

/** Names and values as they might come, the odd ones among them. */
const name = fc.oneof(
  fc.constantFrom(
    'x-request-id',
    'X-Sluice-Cache',
    'retry-after',
    'grpc-status',
    'a-bin',
    ':path',
    '',
    'transfer-encoding',
    ...RESERVED,
  ),
  fc.string({ maxLength: 12 }),
);
const value = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('line\r\nbreak', 'é', '\ud800', '', ' '));

describe('toMetadata', () => {
  it('carries what metadata can carry, in order, and never throws at the rest', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value), { maxLength: 12 }), (entries) => {
        const metadata = toMetadata(entries.flat());
        const expected = new Map<string, string[]>();
        for (const [key, text] of entries) {
          const lower = key.toLowerCase();
          const legal = /^[0-9a-z_.-]+$/.test(lower) && [...text].every((c) => c >= ' ' && c <= '~');
          const free = ![...RESERVED, 'transfer-encoding', 'upgrade'].includes(lower) && !/^grpc-|-bin$/.test(lower);
          if (legal && free) expected.set(lower, [...(expected.get(lower) ?? []), text]);
        }
        expect(metadata.toJSON()).toEqual(Object.fromEntries(expected));
        expect(() => metadata.toHttp2Headers()).not.toThrow();
      }),
    );
  });

  it('leaves out the name that would become a prototype', () => {
    expect(Object.getPrototypeOf(toMetadata(['__proto__', 'a']).toHttp2Headers())).toBe(Object.prototype);
  });

  it('passes over a name without a value', () => {
    expect(toMetadata(['a', 'b', 'c']).toJSON()).toEqual({ a: ['b'] });
  });
});

describe('grpcStatusName', () => {
  it('names every status as gRPC spells it', () => {
    const words = Object.entries(GrpcStatus).map(([key, code]) => [key, grpcStatusName(code)]);
    for (const [key, spelled] of words) expect(spelled!.replaceAll('_', '').toLowerCase()).toBe(key!.toLowerCase());
  });

  it('does not make up a name for a number from outside', () => {
    expect(grpcStatusName(17)).toBe('an unknown status');
    expect(grpcStatusName(-1)).toBe('an unknown status');
    expect(grpcStatusName(Number.NaN)).toBe('an unknown status');
  });
});
