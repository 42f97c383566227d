import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import { DESCRIPTORS_FILE, descriptorsSource } from '../../../../scripts/descriptors.ts';
import { DATATYPES } from '../../../../src/core/datatype.ts';
import { VariantStatistics } from '../../../../src/core/statistics.ts';
import { FILE_DESCRIPTORS } from '../../../../src/wire/oip/descriptors.ts';
import {
  decodeHealthCheckRequest,
  encodeHealthStatus,
  readHealthStatus,
  ServingStatus,
} from '../../../../src/wire/oip/health-messages.ts';
import { decodeDecoupled, encodeModelConfig } from '../../../../src/wire/oip/model-config.ts';
import { encodeModelStatistics } from '../../../../src/wire/oip/model-statistics.ts';
import { decodeReflectionRequest, encodeReflectionResponse } from '../../../../src/wire/oip/reflection-messages.ts';
import { decodeRepositoryIndexRequest, encodeRepositoryIndex } from '../../../../src/wire/oip/repository-index.ts';
import { datatype, name, RUNS, text } from './arbitraries.ts';
import { type Plain, stockDecode, stockEncode } from './stock-protobuf.ts';

const spec = fc.record({ name, datatype, shape: fc.array(fc.integer({ min: -1, max: 9 }), { maxLength: 4 }) });
const TYPE_NAMES: Readonly<Record<string, string>> = { BYTES: 'TYPE_STRING' };

describe('ModelConfigResponse', () => {
  it('tells a stock reader names, types and whole shapes where rows are not counted', () => {
    fc.assert(
      fc.property(
        name,
        text,
        fc.array(spec, { maxLength: 3 }),
        fc.array(spec, { maxLength: 3 }),
        (model, platform, inputs, outputs) => {
          const bytes = encodeModelConfig(model, { platform, decoupled: false, inputs, outputs }, 0);
          const { config } = stockDecode('ModelConfigResponse', bytes);
          expect([config['name'], config['platform'] ?? '', config['max_batch_size'] ?? 0]).toEqual([model, platform, 0]);
          const plain = ({ name, shape }: { name: string; shape: readonly number[] }): Plain => ({
            name,
            dims: shape.map(String),
          });
          expect(config['input'].map(({ name, dims }: Plain) => ({ name, dims }))).toEqual(inputs.map(plain));
          expect(config['output'].map(({ name, dims }: Plain) => ({ name, dims }))).toEqual(outputs.map(plain));
        },
      ),
      RUNS,
    );
  });

  it('leaves the rows out of the shapes where they are counted', () => {
    const signature = {
      platform: 'p',
      decoupled: false,
      inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 28, 28] }],
      outputs: [
        { name: 'y', datatype: 'INT64' as const, shape: [-1] },
        { name: 'z', datatype: 'FP32' as const, shape: [3] },
      ],
    };
    const { config } = stockDecode('ModelConfigResponse', encodeModelConfig('m', signature, 64));
    expect(config['max_batch_size']).toBe(64);
    expect(config['input'][0]['dims']).toEqual(['28', '28']);
    expect(config['output'].map((output: Plain) => output['dims'])).toEqual([[], ['3']]);
  });

  it('has a number of its own for every datatype', () => {
    const root = protobuf.loadSync(new URL('../../../../proto/open_inference_grpc.proto', import.meta.url).pathname);
    const values = root.lookupEnum('inference.DataType').values;
    for (const kind of DATATYPES) {
      const signature = { platform: '', decoupled: false, inputs: [{ name: 'x', datatype: kind, shape: [] }], outputs: [] };
      const { config } = stockDecode('ModelConfigResponse', encodeModelConfig('m', signature, 0));
      expect(config['input'][0]['data_type']).toBe(values[TYPE_NAMES[kind] ?? `TYPE_${kind}`]);
    }
  });
});

describe('ModelStatisticsResponse', () => {
  it('tells counts and nanoseconds', () => {
    const statistics = new VariantStatistics();
    statistics.success.add(12.345);
    statistics.success.add(7);
    statistics.fail.add(1);
    statistics.queue.add(0);
    statistics.compute.add(5_000_000_000);
    statistics.cacheHit.add(2);
    statistics.rows = 9;
    statistics.lastAnswerMs = 1_700_000_000_000;
    const bytes = encodeModelStatistics([{ model: 'm', version: 'v1', statistics }]);
    expect(stockDecode('ModelStatisticsResponse', bytes)['model_stats']).toMatchObject([
      {
        name: 'm',
        version: 'v1',
        last_inference: '1700000000000',
        inference_count: '9',
        execution_count: '1',
        inference_stats: {
          success: { count: '2', ns: '19345' },
          fail: { count: '1', ns: '1000' },
          queue: { count: '1' },
          compute_infer: { count: '1', ns: '5000000000000' },
          cache_hit: { count: '1', ns: '2000' },
          cache_miss: {},
        },
      },
    ]);
  });
});

describe('RepositoryIndex', () => {
  it('is read as a stock writer writes it, and written as a stock reader reads it', () => {
    fc.assert(
      fc.property(text, fc.boolean(), (repository, ready) => {
        const bytes = stockEncode('RepositoryIndexRequest', { repository_name: repository, ready });
        expect(decodeRepositoryIndexRequest(bytes)).toEqual({ repository, readyOnly: ready });
      }),
      RUNS,
    );
    const entry = { name: 'm', version: 'v1', state: 'UNAVAILABLE', reason: 'warming' };
    expect(stockDecode('RepositoryIndexResponse', encodeRepositoryIndex([entry, entry]))).toEqual({ models: [entry, entry] });
  });

  it('takes neither field twice', () => {
    const twice = stockEncode('RepositoryIndexRequest', { ready: true });
    expect(decodeRepositoryIndexRequest(Buffer.concat([twice, twice]))).toContain('comes twice');
  });
});

describe('grpc.health.v1', () => {
  it('is read and written as a stock reader does', () => {
    const bytes = stockEncode('grpc.health.v1.HealthCheckRequest', { service: 'a.b' });
    expect(decodeHealthCheckRequest(bytes)).toEqual({ service: 'a.b' });
    expect(decodeHealthCheckRequest(Buffer.alloc(0))).toEqual({ service: '' });
    for (const status of Object.values(ServingStatus)) {
      const answer = encodeHealthStatus(status);
      expect(stockDecode('grpc.health.v1.HealthCheckResponse', answer)['status'] ?? 0).toBe(status);
      expect(readHealthStatus(answer)).toBe(status);
    }
  });
});

const PACKAGE = 'grpc.reflection.v1.';

describe('server reflection', () => {
  it.each([
    [{ file_by_filename: 'f' }, { is: 'file', name: 'f' }],
    [{ file_containing_symbol: 's' }, { is: 'symbol', name: 's' }],
    [{ file_containing_extension: { containing_type: 't', extension_number: 5 } }, { is: 'extension', name: 't' }],
    [{ all_extension_numbers_of_type: 't' }, { is: 'extensions', name: 't' }],
    [{ list_services: '*' }, { is: 'services', name: '*' }],
    [{}, { is: 'none' }],
  ])('reads %j', (plain, question) => {
    const bytes = stockEncode(`${PACKAGE}ServerReflectionRequest`, { host: 'h', ...plain });
    expect(decodeReflectionRequest(bytes)).toEqual({ host: 'h', question });
  });

  it('refuses two questions at once', () => {
    const both = ['file_by_filename', 'list_services'].map((field) =>
      stockEncode(`${PACKAGE}ServerReflectionRequest`, { [field]: 'x' }),
    );
    expect(decodeReflectionRequest(Buffer.concat(both))).toContain('two questions');
  });

  it('repeats the question in its answer', () => {
    const original = stockEncode(`${PACKAGE}ServerReflectionRequest`, { host: 'h', list_services: '*' });
    const request = decodeReflectionRequest(original);
    if (typeof request === 'string') throw new Error(request);
    const read = (bytes: Buffer): Plain => stockDecode(`${PACKAGE}ServerReflectionResponse`, bytes);
    expect(read(encodeReflectionResponse(request, original, { is: 'services', names: ['a', 'b'] }))).toMatchObject({
      valid_host: 'h',
      original_request: { host: 'h', list_services: '*' },
      list_services_response: { service: [{ name: 'a' }, { name: 'b' }] },
    });
    expect(read(encodeReflectionResponse(request, original, { is: 'error', code: 5, message: 'no' }))).toMatchObject({
      error_response: { error_code: 5, error_message: 'no' },
    });
    const descriptor = Buffer.from('bytes');
    const file = read(encodeReflectionResponse(request, original, { is: 'file', descriptor }));
    expect(Buffer.from(file['file_descriptor_response']['file_descriptor_proto'][0])).toEqual(descriptor);
  });
});

describe('the file descriptors', () => {
  it('are what the .proto files say now', () => {
    expect(readFileSync(DESCRIPTORS_FILE, 'utf8'), 'run: node scripts/descriptors.ts').toBe(descriptorsSource());
  });

  it('name every service with its methods', () => {
    const symbols = FILE_DESCRIPTORS.flatMap((file) => file.symbols);
    expect(new Set(symbols).size).toBe(symbols.length);
    expect(FILE_DESCRIPTORS.flatMap((file) => file.services)).toEqual([
      'inference.GRPCInferenceService',
      'grpc.health.v1.Health',
      'grpc.reflection.v1.ServerReflection',
      'grpc.reflection.v1alpha.ServerReflection',
    ]);
    expect(symbols).toContain('inference.GRPCInferenceService.ModelStreamInfer');
    expect(symbols).toContain('inference.ModelInferRequest.InferInputTensor');
    expect(symbols).toContain('grpc.health.v1.HealthCheckResponse.ServingStatus');
  });
});

describe('bytes of a hostile caller', () => {
  it('throw in none of the decoders of questions', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        for (const decode of [decodeRepositoryIndexRequest, decodeHealthCheckRequest, decodeReflectionRequest]) {
          const found = decode(bytes);
          if (typeof found === 'string') expect(found.length).toBeLessThan(1_000);
        }
        readHealthStatus(bytes);
      }),
      { ...RUNS, numRuns: 3_000 },
    );
  });

  it('give the same host and question as a stock reader, or none', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat({ max: 255 }), (at, byte) => {
        const bytes = stockEncode(`${PACKAGE}ServerReflectionRequest`, { host: 'h', file_containing_symbol: 'a.b' });
        bytes[at % bytes.length] = byte;
        const ours = decodeReflectionRequest(bytes);
        if (typeof ours === 'string') return;
        const stock = stockDecode(`${PACKAGE}ServerReflectionRequest`, bytes);
        expect(ours.host).toBe(stock['host'] ?? '');
        if (ours.question.is === 'symbol') expect(ours.question.name).toBe(stock['file_containing_symbol']);
      }),
      { ...RUNS, numRuns: 2_000 },
    );
  });
});

describe('a model configuration that a server sends', () => {
  it('says whether the model is decoupled, among whatever else it holds', () => {
    const written = (config: object): boolean => decodeDecoupled(stockEncode('ModelConfigResponse', { config }));
    expect(written({ name: 'm', model_transaction_policy: { decoupled: true } })).toBe(true);
    expect(written({ name: 'm', model_transaction_policy: { decoupled: false } })).toBe(false);
    expect(written({ name: 'm', max_batch_size: 4, input: [{ name: 'x', dims: [1] }] })).toBe(false);
    expect(decodeDecoupled(encodeModelConfig('m', { platform: 'p', decoupled: true, inputs: [], outputs: [] }, 0))).toBe(true);
    expect(decodeDecoupled(encodeModelConfig('m', { platform: 'p', decoupled: false, inputs: [], outputs: [] }, 0))).toBe(false);
  });

  it('says nothing when it cannot be read', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => typeof decodeDecoupled(bytes) === 'boolean'),
      RUNS,
    );
    expect(decodeDecoupled(Buffer.from([0x0a, 9]))).toBe(false);
  });
});
