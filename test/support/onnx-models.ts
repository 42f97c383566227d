import onnxProto, { type onnx } from 'onnx-proto';
import type { Datatype } from '../../src/core/datatype.ts';

/** Tiny ONNX models, built in code, each for one thing that a backend has to get right. */

const { onnx: proto } = onnxProto;

const OPSET = 20;
const IR_VERSION = 9;

/** Numbers of TensorProto.DataType. */
const TYPE_NUMBERS: Readonly<Record<Datatype, number>> = {
  FP32: 1,
  UINT8: 2,
  INT8: 3,
  UINT16: 4,
  INT16: 5,
  INT32: 6,
  INT64: 7,
  BYTES: 8,
  BOOL: 9,
  FP16: 10,
  FP64: 11,
  UINT32: 12,
  UINT64: 13,
  BF16: 16,
};

type Shape = readonly (number | string)[];
type Value = readonly [name: string, datatype: Datatype, shape: Shape];

interface Graph {
  readonly inputs: readonly Value[];
  readonly outputs: readonly (Value | onnx.IValueInfoProto)[];
  readonly nodes: readonly onnx.INodeProto[];
  readonly constants?: readonly onnx.ITensorProto[];
}

const isValue = (value: Value | onnx.IValueInfoProto): value is Value => Array.isArray(value);

function valueInfo(value: Value | onnx.IValueInfoProto): onnx.IValueInfoProto {
  if (!isValue(value)) return value;
  const [name, datatype, shape] = value;
  const dim = shape.map((size) => (typeof size === 'string' ? { dimParam: size } : { dimValue: size }));
  return { name, type: { tensorType: { elemType: TYPE_NUMBERS[datatype], shape: { dim } } } };
}

function graphProto(graph: Graph): onnx.IGraphProto {
  return {
    name: 'test',
    input: graph.inputs.map(valueInfo),
    output: graph.outputs.map(valueInfo),
    node: [...graph.nodes],
    initializer: [...(graph.constants ?? [])],
  };
}

function encode(graph: Graph): Uint8Array {
  const opsetImport = [{ domain: '', version: OPSET }];
  return proto.ModelProto.encode({ irVersion: IR_VERSION, opsetImport, graph: graphProto(graph) }).finish();
}

function node(opType: string, input: string[], output: string[], attribute: onnx.IAttributeProto[] = []): onnx.INodeProto {
  return { opType, input, output, attribute };
}

/** The numbers of `type` are those of AttributeProto.AttributeType, which the package types as a class member. */
const int = (name: string, i: number): onnx.IAttributeProto => ({ name, type: 2, i });
const subgraph = (name: string, graph: Graph): onnx.IAttributeProto => ({ name, type: 5, g: graphProto(graph) });

const floats = (name: string, dims: number[], values: readonly number[]): onnx.ITensorProto => ({
  name,
  dims,
  dataType: TYPE_NUMBERS.FP32,
  floatData: [...values],
});

/** Numbers that look random, are the same each time, and have no short binary fractions. */
const weights = (count: number): number[] => Array.from({ length: count }, (_, i) => Math.sin(i * 12.9898) / 3);

/** `y = x` of any datatype; the name of the output says so. */
export function identityModel(datatype: Datatype, shape: Shape): Uint8Array {
  return encode({ inputs: [['x', datatype, shape]], outputs: [['y', datatype, shape]], nodes: [node('Identity', ['x'], ['y'])] });
}

/** `y = relu(x W + b)`, `z = x + x`: rows of 7 numbers give rows of 5 and of 7. */
export function affineModel(): Uint8Array {
  return encode({
    inputs: [['x', 'FP32', ['batch', 7]]],
    outputs: [
      ['y', 'FP32', ['batch', 5]],
      ['z', 'FP32', ['batch', 7]],
    ],
    nodes: [
      node('MatMul', ['x', 'w'], ['xw']),
      node('Add', ['xw', 'b'], ['sum']),
      node('Relu', ['sum'], ['y']),
      node('Add', ['x', 'x'], ['z']),
    ],
    constants: [floats('w', [7, 5], weights(35)), floats('b', [5], weights(5))],
  });
}

/** `y = table[x]`: an index outside -3..2 makes the run throw. */
export function lookupModel(): Uint8Array {
  return encode({
    inputs: [['x', 'INT64', ['batch']]],
    outputs: [['y', 'FP32', ['batch', 2]]],
    nodes: [node('Gather', ['table', 'x'], ['y'], [int('axis', 0)])],
    constants: [floats('table', [3, 2], [0, 1, 10, 11, 20, 21])],
  });
}

/** `y = a ‖ b` along dimension 1, which is free in both; BYTES, and a count that goes through. */
export function joinModel(): Uint8Array {
  return encode({
    inputs: [
      ['a', 'BYTES', ['batch', 'n']],
      ['b', 'BYTES', ['batch', 'm']],
      ['count', 'INT64', ['batch']],
    ],
    outputs: [
      ['y', 'BYTES', ['batch', 'n+m']],
      ['counted', 'INT64', ['batch']],
    ],
    nodes: [node('Concat', ['a', 'b'], ['y'], [int('axis', 1)]), node('Identity', ['count'], ['counted'])],
  });
}

/** `y = the positive elements of x`: looks as if rows could share a run, and has outputs that cannot be given back by rows. */
export function positiveModel(): Uint8Array {
  return encode({
    inputs: [['x', 'FP32', ['batch']]],
    outputs: [['y', 'FP32', ['kept']]],
    nodes: [node('Greater', ['x', 'zero'], ['positive']), node('Compress', ['x', 'positive'], ['y'], [int('axis', 0)])],
    constants: [floats('zero', [], [0])],
  });
}

/** Multiplies a 64 × 64 matrix with itself `rounds` times: about 20 to 100 µs a round. */
export function slowModel(): Uint8Array {
  const matrix = floats('w', [64, 64], weights(64 * 64));
  const body: Graph = {
    inputs: [
      ['round', 'INT64', []],
      ['go', 'BOOL', []],
      ['x', 'FP32', [64, 64]],
    ],
    outputs: [
      ['go_on', 'BOOL', []],
      ['xw', 'FP32', [64, 64]],
    ],
    nodes: [node('Identity', ['go'], ['go_on']), node('MatMul', ['x', 'w'], ['product']), node('Tanh', ['product'], ['xw'])],
  };
  return encode({
    inputs: [['rounds', 'INT64', [1]]],
    outputs: [['y', 'FP32', [64, 64]]],
    nodes: [node('Loop', ['rounds', '', 'w'], ['y'], [subgraph('body', body)])],
    constants: [matrix],
  });
}

/** Its output is a sequence, which no tensor protocol can carry. */
export function sequenceModel(): Uint8Array {
  const sequence: onnx.IValueInfoProto = {
    name: 'parts',
    type: { sequenceType: { elemType: { tensorType: { elemType: TYPE_NUMBERS.FP32 } } } },
  };
  return encode({
    inputs: [['x', 'FP32', ['batch', 2]]],
    outputs: [sequence],
    nodes: [node('SequenceConstruct', ['x'], ['parts'])],
  });
}

/** Has no inputs and always gives the same. */
export function constantModel(): Uint8Array {
  return encode({
    inputs: [],
    outputs: [['y', 'FP32', [2]]],
    nodes: [node('Identity', ['k'], ['y'])],
    constants: [floats('k', [2], [1, 2])],
  });
}
