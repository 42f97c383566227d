/** Inputs for a gRPC caller, as bytes. */

export interface RawInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly raw: Buffer;
}

export function numbers(name: string, datatype: string, shape: readonly number[], values: ArrayBufferView): RawInput {
  return { name, datatype, shape, raw: Buffer.from(values.buffer, values.byteOffset, values.byteLength) };
}

export function strings(name: string, shape: readonly number[], values: readonly (string | Buffer)[]): RawInput {
  const raw = values.flatMap((value) => {
    const bytes = Buffer.from(value as string);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    return [length, bytes];
  });
  return { name, datatype: 'BYTES', shape, raw: Buffer.concat(raw) };
}
