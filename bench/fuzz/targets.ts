import type { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { mintKey, parseKey } from '../../src/auth/api-key.ts';
import type { InferenceRequest } from '../../src/core/inference.ts';
import type { Signature } from '../../src/core/signature.ts';
import { compileContract } from '../../src/protocols/contract/compile-contract.ts';
import { GenerateReader } from '../../src/protocols/generate/generate-reader.ts';
import { InferReader } from '../../src/protocols/rest/infer-reader.ts';
import { PredictReader } from '../../src/protocols/v1/predict-reader.ts';
import { formatTraceparent, parseTraceparent } from '../../src/telemetry/traceparent.ts';
import { JsonCursor } from '../../src/wire/json/cursor.ts';
import { JsonTexts } from '../../src/wire/json/json-texts.ts';
import { skipValue } from '../../src/wire/json/skip.ts';
import { decodeHealthCheckRequest } from '../../src/wire/oip/health-messages.ts';
import { decodeInferRequest, encodeInferRequest } from '../../src/wire/oip/infer-request.ts';
import { decodeInferResponse, encodeInferResponse } from '../../src/wire/oip/infer-response.ts';
import { decodeReflectionRequest } from '../../src/wire/oip/reflection-messages.ts';
import { decodeRepositoryIndexRequest } from '../../src/wire/oip/repository-index.ts';
import {
  decodeEmpty,
  decodeModelMetadata,
  decodeModelNameRequest,
  decodeReady,
  decodeServerMetadata,
  encodeModelMetadata,
  encodeModelNameRequest,
  encodeServerMetadata,
} from '../../src/wire/oip/server-messages.ts';
import { readStreamedRequest } from '../../src/wire/oip/stream-messages.ts';
import { ExplainResponseReader } from '../../src/wire/v1-rest/explain-response.ts';
import { HTTP2_TARGETS } from './http2/targets.ts';
import { anyValue, inferBody, largeBody, valueBody } from './json-texts.ts';
import { anyMessage, inferMessage, largeMessage } from './protobuf-messages.ts';

/** A decoder of bytes that strangers send. */
export interface Target {
  readonly name: string;
  /** Well-formed inputs that mutations start from. */
  readonly seeds: readonly Buffer[];
  generated(random: SeededRandom): Buffer;
  /** About so many bytes that a decoder reads to their end, or nearly. */
  large(random: SeededRandom, size: number): Buffer;
  /** Decodes; the answer does not matter, as long as there is one. */
  feed(bytes: Buffer): void;
  /** What else has to hold, beside the measured: throws where it does not. */
  check?(bytes: Buffer): void;
}

const MAX_DEPTH = 32;
const MAX_TENSORS = 64;
const MAX_TYPED_BYTES = 2_097_152;
const MAX_ROWS = 1_024;

const SIGNATURE: Signature = {
  platform: 'test',
  decoupled: false,
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 2] },
    { name: 'text', datatype: 'BYTES', shape: [-1] },
  ],
  outputs: [{ name: 'y', datatype: 'INT64', shape: [-1] }],
};
const STRINGS = Buffer.from([2, 0, 0, 0, 0x68, 0x69]);
const REQUEST: InferenceRequest = {
  task: 'predict',
  model: 'm',
  version: 'v1',
  id: 'an id',
  params: new Map<string, string | bigint | boolean>([
    ['sequence_id', 12_345_678_901_234_567_890n],
    ['sequence_start', true],
  ]),
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) },
    { name: 'text', datatype: 'BYTES', shape: [1], data: STRINGS },
  ],
  wanted: ['y'],
  timeoutUs: 0,
  sequenceId: '',
};
const ASKED = { task: 'predict', model: 'm', version: '' };

const contract = compileContract(SIGNATURE, {}, MAX_ROWS);
const inferReader = new InferReader(MAX_DEPTH, MAX_TENSORS);
const explainReader = new ExplainResponseReader();
const predictReader = new PredictReader(MAX_DEPTH);
const generateReader = new GenerateReader(MAX_DEPTH);
const cursor = new JsonCursor(MAX_DEPTH);

const texts = (...values: readonly string[]): Buffer[] => values.map((value) => Buffer.from(value));
const aJson =
  (make: (random: SeededRandom) => string) =>
  (random: SeededRandom): Buffer =>
    Buffer.from(make(random));
const protobuf = (random: SeededRandom): Buffer => anyMessage(random);
const largeJson = (random: SeededRandom, size: number): Buffer => Buffer.from(largeBody(random, size));
/** Header fields have no structure that could be nested. */
const longText = (random: SeededRandom, size: number): Buffer => Buffer.alloc(size, '0-a_'[random.below(4)]!);

/** What comes after decoding sees whatever decoding let pass. */
function judged(request: InferenceRequest | null | string): void {
  if (request === null || typeof request === 'string') return;
  contract.refusal(request);
  encodeInferRequest(request, 'there', '');
}

const INFER = texts(
  '{"id":"a","inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":[1.5,-2]},{"name":"text","datatype":"BYTES","shape":[1],"data":["hi"]}]}',
  '{"parameters":{"sequence_id":7,"sequence_start":true,"timeout":1000},"inputs":[{"data":[[1,2],[3,4]],"shape":[2,2],"datatype":"INT64","name":"x","parameters":{"a":1}}],"outputs":[{"name":"y"}]}',
  '{"inputs":[{"name":"x","datatype":"UINT8","shape":[3],"data":[1,2,255]},{"name":"b","datatype":"BOOL","shape":[],"data":[true]}],"more":{"deep":[1,{"a":null}]}}',
);
const BINARY = texts(
  '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"parameters":{"binary_data_size":8}}],"parameters":{"binary_data_output":true}}12345678',
  '{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":5}}]}\u0001\u0000\u0000\u0000a',
);

const REST: readonly Target[] = [
  {
    name: 'json',
    seeds: [...INFER, ...texts('[1,"a\\u00e9",{"b":[true,null,-0.5e10]}]')],
    generated: aJson(anyValue),
    large: largeJson,
    feed: (bytes) => {
      if (cursor.start(bytes) && skipValue(cursor, false) !== -1) cursor.finish();
      cursor.stop();
    },
  },
  {
    name: 'rest infer',
    seeds: INFER,
    generated: aJson(inferBody),
    large: largeJson,
    feed: (bytes) => judged(inferReader.read(bytes, null, 'm', '')),
  },
  {
    name: 'rest infer, binary',
    seeds: BINARY,
    generated: (random) => Buffer.concat([Buffer.from(inferBody(random)), anyMessage(random)]),
    large: largeJson,
    feed: (bytes) => {
      // Where the head ends comes in a header field; here it is wherever the text seems to end.
      const end = bytes.lastIndexOf(0x7d) + 1;
      judged(inferReader.read(bytes.subarray(0, end), bytes.subarray(end), 'm', ''));
    },
  },
  {
    name: 'v1 predict',
    seeds: texts(
      '{"instances":[{"x":[1,2],"text":"hi"},{"x":[3,4],"text":{"b64":"AAEC"}}]}',
      '{"inputs":{"x":[[1,2]],"text":["a"]}}',
    ),
    generated: aJson(valueBody),
    large: largeJson,
    feed: (bytes) => judged(predictReader.read(bytes, ASKED, SIGNATURE, 'predict')),
  },
  {
    name: 'v1 explanation',
    seeds: texts('{"predictions":[1],"explanations":{"name":["a\\u00e9",null],"4111111111111111":-4111111111111111}}'),
    generated: aJson(anyValue),
    large: largeJson,
    feed: (bytes) => {
      const fault = explainReader.fault(bytes);
      if (fault !== '') return;
      const json = new JsonTexts(bytes);
      if (!json.replaced(json.texts).every((byte, at) => byte === bytes[at])) throw new Error('the same texts give other JSON');
    },
  },
  {
    name: 'generate',
    seeds: texts('{"id":"a","x":[[1,2]],"text":"hi","parameters":{"priority":1}}', '{"text":["hi"],"x":[1,2]}'),
    generated: aJson(valueBody),
    large: largeJson,
    feed: (bytes) => judged(generateReader.read(bytes, ASKED, SIGNATURE)),
  },
];

const GRPC: readonly Target[] = [
  {
    name: 'oip request',
    seeds: [encodeInferRequest(REQUEST, 'm', 'v1')],
    generated: (random) => (random.below(3) === 0 ? anyMessage(random) : inferMessage(random, 7)),
    large: largeMessage,
    feed: (bytes) => {
      judged(decodeInferRequest(bytes, MAX_TENSORS, MAX_TYPED_BYTES));
      readStreamedRequest(bytes);
    },
  },
  {
    name: 'oip response',
    seeds: [encodeInferResponse({ model: 'm', version: '1', id: 'a', outputs: REQUEST.inputs })],
    generated: (random) => (random.below(3) === 0 ? anyMessage(random) : inferMessage(random, 6)),
    large: largeMessage,
    feed: (bytes) => {
      const answer = decodeInferResponse(bytes);
      if (typeof answer !== 'string') contract.lie(REQUEST, { outputs: answer.outputs, computeUs: 0 });
    },
  },
  {
    name: 'oip metadata',
    seeds: [
      encodeModelMetadata({ name: 'm', versions: ['1', '2'], ...SIGNATURE }),
      encodeServerMetadata({ name: 's', version: '1', extensions: ['a', 'b'] }),
    ],
    generated: protobuf,
    large: largeMessage,
    feed: (bytes) => {
      decodeModelMetadata(bytes);
      decodeServerMetadata(bytes);
    },
  },
  {
    name: 'oip questions',
    seeds: [encodeModelNameRequest('m', '1'), Buffer.from([0x0a, 1, 0x73, 0x10, 1])],
    generated: protobuf,
    large: largeMessage,
    feed: (bytes) => {
      decodeModelNameRequest(bytes);
      decodeReady(bytes);
      decodeEmpty(bytes);
      decodeHealthCheckRequest(bytes);
      decodeReflectionRequest(bytes);
      decodeRepositoryIndexRequest(bytes);
    },
  },
];

const HEADERS: readonly Target[] = [
  {
    name: 'traceparent',
    seeds: texts(formatTraceparent('4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7', 1)),
    generated: (random) => Buffer.from(Array.from({ length: 55 }, () => '0123456789abcdef-'[random.below(17)]).join('')),
    large: longText,
    feed: (bytes) => void parseTraceparent(bytes.toString('latin1')),
  },
  {
    name: 'api key',
    seeds: texts(mintKey('live', 'abcdefgh').key),
    generated: (random) => Buffer.from(`sl_live_${Array.from({ length: 59 }, () => 'aZ09_'[random.below(5)]).join('')}`),
    large: longText,
    feed: (bytes) => void parseKey(bytes.toString('latin1')),
  },
];

/** Every decoder there is. A new one gets a row here. */
export const TARGETS: readonly Target[] = [...REST, ...GRPC, ...HEADERS, ...HTTP2_TARGETS];
