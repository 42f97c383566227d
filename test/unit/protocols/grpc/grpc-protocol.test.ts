import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Fault } from '../../../../src/core/faults.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import {
  decodeModelMetadata,
  decodeReady,
  decodeServerMetadata,
  encodeModelNameRequest,
} from '../../../../src/wire/oip/server-messages.ts';
import { Scene, SERVICE, SIGNATURE } from './scene.ts';

const messageOf = (ctx: RequestContext): Uint8Array => Buffer.concat(ctx.reply.pieces);

describe('GrpcProtocol', () => {
  it.each(['ServerLive', 'ServerReady'])('answers %s to anyone', (method) => {
    expect(new Scene().match(SERVICE + method)).toMatchObject({ open: true, fault: null });
  });

  it.each(['ServerMetadata', 'ModelReady', 'ModelMetadata', 'ModelInfer'])(
    'answers %s to callers with a credential',
    (method) => {
      expect(new Scene().match(SERVICE + method)).toMatchObject({ open: false, fault: null, model: '', version: '' });
    },
  );

  it.each([
    '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
    '/grpc.health.v1.Health/List',
    `${SERVICE}modelinfer`,
    SERVICE,
    '/other.Service/ModelInfer',
    '/',
    '',
  ])('says UNIMPLEMENTED to %j, and only after the caller is known', (path) => {
    const match = new Scene().match(path);
    expect(match).toMatchObject({ open: false, fault: Fault.MethodNotAllowed });
    expect(match.fault!.grpc).toBe(12);
  });

  it('gives each codec a name of its own, but one to both health questions', () => {
    const scene = new Scene();
    const methods = [
      ...['ServerLive', 'ServerReady', 'ServerMetadata', 'ModelReady', 'ModelMetadata', 'ModelInfer', 'ModelStreamInfer'],
      ...['ModelConfig', 'ModelStatistics', 'RepositoryIndex', 'TraceSetting', 'Other'],
    ];
    const names = methods.map((method) => scene.match(SERVICE + method).codec.name);
    expect(names).toEqual([
      'grpc_health',
      'grpc_health',
      'grpc_server_metadata',
      'grpc_model_ready',
      'grpc_model_metadata',
      'grpc_infer',
      'grpc_stream_infer',
      'grpc_model_config',
      'grpc_model_statistics',
      'grpc_repository_index',
      'grpc_not_offered',
      'grpc_unknown',
    ]);
  });
});

describe('health over gRPC', () => {
  it('is alive whatever it is ready for', () => {
    const scene = new Scene();
    scene.isReady = false;
    const ctx = scene.ask('ServerLive');
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
    expect(ctx.reply).toMatchObject({ ready: true, grpc: 0, status: 200, contentType: 'application/grpc' });
    expect(decodeReady(messageOf(ctx))).toBe(true);
  });

  it('is ready when the gateway says so', () => {
    const scene = new Scene();
    for (const isReady of [true, false]) {
      scene.isReady = isReady;
      const ctx = scene.ask('ServerReady', new Uint8Array(0));
      expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
      expect(decodeReady(messageOf(ctx))).toBe(isReady);
    }
  });

  it('refuses a message that is no protobuf', () => {
    const ctx = new Scene().ask('ServerLive', Uint8Array.of(0xff));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.Malformed);
  });
});

describe('ServerMetadata over gRPC', () => {
  it('names this gateway', () => {
    const ctx = new Scene().ask('ServerMetadata');
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
    expect(decodeServerMetadata(messageOf(ctx))).toEqual({ name: 'sluice', version: '1.2.3', extensions: [] });
  });

  it('refuses a message that is no protobuf', () => {
    const ctx = new Scene().ask('ServerMetadata', Uint8Array.of(0x0b));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.Malformed);
  });
});

describe('ModelReady over gRPC', () => {
  it.each([
    ['spam', '', true],
    ['spam', 'v1', true],
    ['spam', 'blue', true],
    ['spam', 'v2', false],
    ['warming', '', false],
  ])('says of model %s, version %j: %s', (name, version, ready) => {
    const ctx = new Scene().ask('ModelReady', encodeModelNameRequest(name, version));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
    expect(decodeReady(messageOf(ctx))).toBe(ready);
  });
});

describe('ModelMetadata over gRPC', () => {
  it('tells what a model takes and gives, and its versions', () => {
    const ctx = new Scene().ask('ModelMetadata', encodeModelNameRequest('spam', ''));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
    const { platform, inputs, outputs } = SIGNATURE;
    expect(decodeModelMetadata(messageOf(ctx))).toEqual({ name: 'spam', versions: ['v1', 'v2'], platform, inputs, outputs });
  });

  it('says that no variant is there while the first one warms', () => {
    const ctx = new Scene().ask('ModelMetadata', encodeModelNameRequest('warming', ''));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.NoVariant);
  });
});

describe.each(['ModelReady', 'ModelMetadata', 'ModelConfig', 'ModelStatistics'])('%s over gRPC', (method) => {
  it('cannot be used to tell a forbidden model from an unknown one', () => {
    const faces = [
      ['secret', ''],
      ['nothing', ''],
      ['spam', 'v9'],
    ].map(([name, version]) => {
      const ctx = new Scene().ask(method, encodeModelNameRequest(name!, version!));
      expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
      ctx.codec.encodeFault(ctx);
      return [ctx.fault, ctx.reply.grpc, ctx.reply.message, [...ctx.reply.headers]];
    });
    for (const face of faces) expect(face).toEqual([Fault.NotFound, 5, Fault.NotFound.message, ['x-sluice-fault', 'NOT_FOUND']]);
  });

  it('shows nothing to a caller without a name', () => {
    const ctx = new Scene().ask(method, encodeModelNameRequest('spam', ''));
    ctx.principal = null;
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.NotFound);
  });

  it('refuses a message that names two models', () => {
    const one = encodeModelNameRequest('spam', '');
    const ctx = new Scene().ask(method, one, encodeModelNameRequest('secret', ''));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.Malformed);
    expect(ctx.faultDetail).toContain('comes twice');
  });
});
