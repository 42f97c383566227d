import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../../src/core/context.ts';
import { Fault } from '../../../../src/core/faults.ts';
import { Verdict } from '../../../../src/core/verdict.ts';
import { NOT_OFFERED } from '../../../../src/protocols/grpc/methods.ts';
import { FILE_DESCRIPTORS } from '../../../../src/wire/oip/descriptors.ts';
import { encodeModelNameRequest } from '../../../../src/wire/oip/server-messages.ts';
import { type Plain, stockDecode, stockEncode } from '../../wire/oip/stock-protobuf.ts';
import { Scene, SERVICE } from './scene.ts';

const REFLECTION = '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo';

function answered(ctx: RequestContext, message: string): Plain {
  expect(ctx.codec.decode(ctx)).toBe(Verdict.Answer);
  return stockDecode(message, Buffer.concat(ctx.reply.pieces));
}

describe('ModelConfig over gRPC', () => {
  it('tells platform, inputs and outputs', () => {
    const { config } = answered(new Scene().ask('ModelConfig', encodeModelNameRequest('spam', 'v1')), 'ModelConfigResponse');
    expect(config).toEqual({
      name: 'spam',
      platform: 'onnxruntime_onnx',
      input: [{ name: 'x', data_type: 11, dims: ['-1', '2'] }],
      output: [{ name: 'y', data_type: 9, dims: ['-1'] }],
    });
  });

  it('says that no variant is there while the first one warms', () => {
    const ctx = new Scene().ask('ModelConfig', encodeModelNameRequest('warming', ''));
    expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
    expect(ctx.fault).toBe(Fault.NoVariant);
  });
});

describe('ModelStatistics over gRPC', () => {
  const ask = (scene: Scene, name: string, version: string): Plain[] => {
    const { model_stats } = answered(
      scene.ask('ModelStatistics', encodeModelNameRequest(name, version)),
      'ModelStatisticsResponse',
    );
    return model_stats as Plain[];
  };

  it('tells what each variant has done', () => {
    const scene = new Scene();
    scene.spam[1]!.state.statistics.fail.add(3);
    expect(ask(scene, 'spam', '').map(({ name, version }) => [name, version])).toEqual([
      ['spam', 'v1'],
      ['spam', 'v2'],
    ]);
    expect(ask(scene, 'spam', 'v2')[0]!['inference_stats']['fail']).toEqual({ count: '1', ns: '3000' });
    expect(ask(scene, 'spam', 'blue').map(({ version }) => version)).toEqual(['v1']);
  });

  it('without a name tells of all models of the caller and of no other', () => {
    expect(ask(new Scene(), '', '').map(({ name }) => name)).toEqual(['spam', 'spam', 'warming']);
  });
});

describe('RepositoryIndex over gRPC', () => {
  const ask = (plain: Plain): Plain[] => {
    const ctx = new Scene().ask('RepositoryIndex', stockEncode('RepositoryIndexRequest', plain));
    return answered(ctx, 'RepositoryIndexResponse')['models'] as Plain[];
  };

  it('lists the variants of the models of the caller, and one word of why one is not ready', () => {
    expect(ask({})).toEqual([
      { name: 'spam', version: 'v1', state: 'READY' },
      { name: 'spam', version: 'v2', state: 'UNAVAILABLE', reason: 'warming' },
      { name: 'warming', version: 'v1', state: 'UNAVAILABLE', reason: 'warming' },
    ]);
  });

  it('lists those that are ready where that is asked for', () => {
    expect(ask({ ready: true })).toEqual([{ name: 'spam', version: 'v1', state: 'READY' }]);
  });

  it('lists nothing of another repository', () => {
    expect(ask({ repository_name: 'other' })).toEqual([]);
  });
});

describe('methods that are not offered', () => {
  it.each(NOT_OFFERED.map(([method]) => method))('%s is refused by name, on its metadata', (method) => {
    const scene = new Scene();
    expect(scene.match(SERVICE + method)).toMatchObject({ open: false, fault: Fault.NotSupported });
    const ctx = scene.ask(method);
    ctx.refuse(Fault.NotSupported);
    ctx.codec.encodeFault(ctx);
    expect(ctx.reply.grpc).toBe(12);
    expect(ctx.reply.message).toContain(`${method}: `);
    expect(ctx.faultDetail).toContain(method);
  });

  it('say nothing of themselves to callers that are refused for another reason', () => {
    const ctx = new Scene().ask('TraceSetting');
    ctx.refuse(Fault.KeyUnknown);
    ctx.codec.encodeFault(ctx);
    expect(ctx.reply.message).toBe(Fault.KeyUnknown.message);
  });
});

describe('grpc.health.v1', () => {
  const ask = (scene: Scene, method: string, service: string): RequestContext =>
    scene.ask(`/grpc.health.v1.Health/${method}`, stockEncode('grpc.health.v1.HealthCheckRequest', { service }));
  const status = (ctx: RequestContext): number => answered(ctx, 'grpc.health.v1.HealthCheckResponse')['status'] as number;

  it('answers to anyone for the whole server and for the inference service', () => {
    const scene = new Scene();
    for (const service of ['', 'inference.GRPCInferenceService']) {
      for (const isReady of [true, false]) {
        scene.isReady = isReady;
        expect(ask(scene, 'Check', service).match.open).toBe(true);
        expect(status(ask(scene, 'Check', service))).toBe(isReady ? 1 : 2);
        expect(status(ask(scene, 'Watch', service))).toBe(isReady ? 1 : 2);
      }
    }
  });

  it('knows no model by name, and says the same of those that are there and those that are not', () => {
    for (const service of ['spam', 'nothing']) {
      const ctx = ask(new Scene(), 'Check', service);
      expect(ctx.codec.decode(ctx)).toBe(Verdict.Refuse);
      expect(ctx.fault).toBe(Fault.NotFound);
      expect(status(ask(new Scene(), 'Watch', service))).toBe(3);
    }
  });
});

describe('server reflection', () => {
  const ask = (plain: Plain): Plain => {
    const bytes = stockEncode('grpc.reflection.v1.ServerReflectionRequest', plain);
    return answered(new Scene({ reflection: true }).ask(REFLECTION, bytes), 'grpc.reflection.v1.ServerReflectionResponse');
  };

  it('lists the services', () => {
    expect(ask({ list_services: '*' })['list_services_response']['service'].map(({ name }: Plain) => name)).toEqual([
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
      'inference.GRPCInferenceService',
    ]);
  });

  it('gives the file of a symbol and of a name', () => {
    const expected = Buffer.from(FILE_DESCRIPTORS[0]!.base64, 'base64');
    for (const plain of [
      { file_containing_symbol: 'inference.GRPCInferenceService' },
      { file_containing_symbol: 'inference.GRPCInferenceService.ModelInfer' },
      { file_by_filename: 'open_inference_grpc.proto' },
    ]) {
      const [file] = ask(plain)['file_descriptor_response']['file_descriptor_proto'] as Uint8Array[];
      expect(Buffer.from(file!)).toEqual(expected);
    }
  });

  it.each([
    [{ file_by_filename: 'other.proto' }, 5],
    [{ file_containing_symbol: 'inference.Nothing' }, 5],
    [{ file_containing_extension: { containing_type: 'inference.ModelInferRequest', extension_number: 1 } }, 5],
    [{ all_extension_numbers_of_type: 'inference.ModelInferRequest' }, 5],
    [{}, 3],
  ])('says of %j that it cannot: %i', (plain, code) => {
    expect(ask(plain)['error_response']['error_code']).toBe(code);
  });

  it('asks for a credential, in both versions', () => {
    const scene = new Scene({ reflection: true });
    for (const path of [REFLECTION, REFLECTION.replace('v1', 'v1alpha')]) {
      expect(scene.match(path)).toMatchObject({ open: false, fault: null });
      expect(scene.match(path).codec.name).toBe('grpc_reflection');
    }
  });
});
