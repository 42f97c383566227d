/** Writes ONNX files: the one owner of onnx-proto, whose loose types and camel-case field names end here. */

import onnxProto, { type onnx } from 'onnx-proto';

const { onnx: proto } = onnxProto;

export const OPSET = 20; // the first opset with StringSplit
export const IR_VERSION = 9; // the IR that was released with opset 20

const ELEMENT_TYPES = { FP32: 1, INT64: 7, BYTES: 8 } as const;
const FLOAT_TENSOR = 1;

export type Signature = {
  readonly name: string;
  readonly dataType: keyof typeof ELEMENT_TYPES;
  /** A string is a symbolic dimension, such as "batch". */
  readonly shape: readonly (number | string)[];
};

export type Attribute =
  | { readonly is: 'int'; readonly value: number }
  | { readonly is: 'text'; readonly value: string }
  | { readonly is: 'floats'; readonly value: Float32Array }
  | { readonly is: 'ints'; readonly value: readonly number[] }
  | { readonly is: 'texts'; readonly value: readonly string[] };

export type GraphNode = {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
};

export type Weights = { readonly name: string; readonly shape: readonly number[]; readonly values: Float32Array };

export type Graph = {
  readonly name: string;
  readonly version: number;
  readonly inputs: readonly Signature[];
  readonly outputs: readonly Signature[];
  readonly weights: readonly Weights[];
  readonly nodes: readonly GraphNode[];
};

/** The bytes of an ONNX file; the same graph always gives the same bytes. */
export function encodeOnnx(graph: Graph): Uint8Array {
  return proto.ModelProto.encode({
    irVersion: IR_VERSION,
    producerName: 'sluice',
    modelVersion: graph.version,
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: graph.name,
      input: graph.inputs.map(valueInfo),
      output: graph.outputs.map(valueInfo),
      initializer: graph.weights.map(tensor),
      node: graph.nodes.map(node),
    },
  }).finish();
}

function valueInfo(signature: Signature): onnx.IValueInfoProto {
  const dim = signature.shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name: signature.name, type: { tensorType: { elemType: ELEMENT_TYPES[signature.dataType], shape: { dim } } } };
}

function tensor(weights: Weights): onnx.ITensorProto {
  const { buffer, byteOffset, byteLength } = weights.values;
  return {
    name: weights.name,
    dims: [...weights.shape],
    dataType: FLOAT_TENSOR,
    rawData: new Uint8Array(buffer, byteOffset, byteLength),
  };
}

function node(described: GraphNode): onnx.INodeProto {
  const attribute = Object.entries(described.attributes ?? {}).map(([name, value]) => attributeProto(name, value));
  return { opType: described.op, input: [...described.inputs], output: [...described.outputs], attribute };
}

/** The numbers are AttributeProto.AttributeType, which the package declares but types as a class member. */
function attributeProto(name: string, attribute: Attribute): onnx.IAttributeProto {
  switch (attribute.is) {
    case 'int':
      return { name, type: 2, i: attribute.value };
    case 'text':
      return { name, type: 3, s: Buffer.from(attribute.value) };
    case 'floats':
      return { name, type: 6, floats: Array.from(attribute.value) };
    case 'ints':
      return { name, type: 7, ints: [...attribute.value] };
    case 'texts':
      return { name, type: 8, strings: attribute.value.map((text) => Buffer.from(text)) };
    default:
      return attribute satisfies never;
  }
}
