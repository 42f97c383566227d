import type { Datatype } from '../../core/datatype.ts';
import type { Signature, TensorSpec } from '../../core/signature.ts';
import { FieldReader } from './field-reader.ts';
import { finish, newWriter, openField, type Writer, writeBool, writeCount, writeShape, writeText } from './message-writer.ts';

/** Triton's numbers for the datatypes; BYTES is its TYPE_STRING. */
const TYPE_NUMBERS: Readonly<Record<Datatype, number>> = {
  BOOL: 1,
  UINT8: 2,
  UINT16: 3,
  UINT32: 4,
  UINT64: 5,
  INT8: 6,
  INT16: 7,
  INT32: 8,
  INT64: 9,
  FP16: 10,
  FP32: 11,
  FP64: 12,
  BYTES: 13,
  BF16: 14,
};

/** Field of ModelConfig, and the field in which its message keeps the shape. */
const INPUT = { field: 5, dims: 4 } as const;
const OUTPUT = { field: 6, dims: 3 } as const;
const POLICY = 19;

/**
 * ModelConfigResponse with what a gateway can vouch for. Where rows are counted, `maxRows` is `max_batch_size` and the dimension of the
 * rows is not among `dims`; where it is 0, `dims` are the whole shape. That is how Triton's clients read the two.
 */
export function encodeModelConfig(name: string, signature: Signature, maxRows: number): Buffer {
  const writer = newWriter();
  openField(writer, 1);
  writeText(writer, 1, name);
  writeText(writer, 2, signature.platform);
  writeCount(writer, 4, maxRows);
  for (let i = 0; i < signature.inputs.length; i++) writeSpec(writer, INPUT, signature.inputs[i]!, maxRows > 0);
  for (let i = 0; i < signature.outputs.length; i++) writeSpec(writer, OUTPUT, signature.outputs[i]!, maxRows > 0);
  if (signature.decoupled) {
    openField(writer, POLICY);
    writeBool(writer, 1, true);
    writer.ldelim();
  }
  writer.ldelim();
  return finish(writer);
}

/**
 * Whether a server's ModelConfigResponse says that the model is decoupled: `config.model_transaction_policy.decoupled`, fields 1, 19 and 1
 * of Triton's messages. Everything else in it is that server's own business.
 */
export function decodeDecoupled(bytes: Uint8Array): boolean {
  const reader = new FieldReader(bytes, 'ModelConfigResponse');
  let decoupled = false;
  while (reader.next()) {
    if (reader.field === 1) decoupled = readConfig(reader);
    else reader.skip();
  }
  return reader.problem === '' && decoupled;
}

function readConfig(reader: FieldReader): boolean {
  let decoupled = false;
  reader.enter('ModelConfig');
  while (reader.next()) {
    if (reader.field === POLICY) decoupled = readPolicy(reader);
    else reader.skip();
  }
  reader.leave();
  return decoupled;
}

function readPolicy(reader: FieldReader): boolean {
  let decoupled = false;
  reader.enter('ModelTransactionPolicy');
  while (reader.next()) {
    if (reader.field === 1) decoupled = reader.bool();
    else reader.skip();
  }
  reader.leave();
  return decoupled;
}

function writeSpec(writer: Writer, place: typeof INPUT | typeof OUTPUT, spec: TensorSpec, hasRows: boolean): void {
  openField(writer, place.field);
  writeText(writer, 1, spec.name);
  writeCount(writer, 2, TYPE_NUMBERS[spec.datatype]);
  // An output of a fixed size has no rows, whatever its inputs have.
  writeShape(writer, place.dims, hasRows && spec.shape[0] === -1 ? spec.shape.slice(1) : spec.shape);
  writer.ldelim();
}
