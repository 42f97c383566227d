import { describe, expect, it } from 'vitest';
import { http2Backend, http2Listen } from '../../../src/config/http2-schema.ts';
import { grpcBackend } from '../../../src/config/model-schema.ts';

describe('limits of HTTP/2 in config', () => {
  it('have the same names on both sides wherever they mean the same', () => {
    const names = Object.keys(http2Listen.shape);
    const onlyListening = ['resetsPerSecond', 'maxStalledStreams'];
    expect(names.filter((name) => !(name in http2Backend.shape))).toEqual(onlyListening);
  });

  it('are there for a backend that names none', () => {
    const { http2 } = grpcBackend.parse({ kind: 'grpc', endpoints: ['a:1'] });
    expect(http2).toMatchObject({ maxConnections: 2, streamWindowBytes: 1_048_576, keepAliveTimeMs: 30_000 });
  });

  it.each([
    ['maxConnections', 0],
    ['maxConnections', 65],
    ['maxFrameBytes', 16_383],
    ['connectionWindowBytes', 65_534],
    ['streamWindowBytes', 1_023],
    ['streamWindowBytes', 2 ** 31],
    ['headerTableBytes', -1],
    ['maxContinuations', 0],
    ['keepAliveTimeMs', 999],
    ['maxConnectionIdleMs', 999],
    ['pingsPerSecond', 0],
    ['resetsPerSecond', 1],
  ])('refuse %s of %i', (name, value) => {
    const parsed = grpcBackend.safeParse({ kind: 'grpc', endpoints: ['a:1'], http2: { [name]: value } });
    expect(parsed.error?.issues.map(({ path }) => path[0])).toEqual(['http2']);
  });
});
