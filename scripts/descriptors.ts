import { readFileSync, writeFileSync } from 'node:fs';
import protobuf from 'protobufjs';

/**
 * Writes `src/wire/oip/descriptors.ts`: the files of `proto/` as server reflection serves them, so that no code reads them at run time. A test
 * fails when it is out of date. Run: node scripts/descriptors.ts
 */
const FILES = [
  'open_inference_grpc.proto',
  'grpc/health/v1/health.proto',
  'grpc/reflection/v1/reflection.proto',
  'grpc/reflection/v1alpha/reflection.proto',
];
export const DESCRIPTORS_FILE = new URL('../src/wire/oip/descriptors.ts', import.meta.url);

export function descriptorsSource(): string {
  const entries = FILES.map((file) => {
    const described = new FileDescription(file);
    const lines = (described.bytes.toString('base64').match(/.{1,120}/g) ?? []).map((line) => `      '${line}',`);
    const list = described.symbols.map((symbol) => `      '${symbol}',`);
    const services = `[${described.services.map((name) => `'${name}'`).join(', ')}]`;
    return `  {
    file: '${file}',
    services: ${services},
    symbols: [
${list.join('\n')}
    ],
    base64: [
${lines.join('\n')}
    ].join(''),
  },`;
  });
  return `/** One .proto file: its services, everything it defines, and its FileDescriptorProto. */
export interface FileDescriptor {
  readonly file: string;
  readonly services: readonly string[];
  readonly symbols: readonly string[];
  readonly base64: string;
}

/** Made from \`proto/\` by \`node scripts/descriptors.ts\`; not to be edited. None of the files imports another. */
export const FILE_DESCRIPTORS: readonly FileDescriptor[] = [
${entries.join('\n')}
];
`;
}

const TYPES: Readonly<Record<string, number>> = {
  double: 1,
  float: 2,
  int64: 3,
  uint64: 4,
  int32: 5,
  fixed64: 6,
  fixed32: 7,
  bool: 8,
  string: 9,
  bytes: 12,
  uint32: 13,
  sfixed32: 15,
  sfixed64: 16,
  sint32: 17,
  sint64: 18,
};
type AnyField = protobuf.Field | protobuf.MapField;

const MESSAGE = 11;
const ENUM = 14;

/** The package's own descriptor extension names map entries by another rule than protoc, and clients refuse them. */
class FileDescription {
  readonly bytes: Buffer;
  readonly symbols: string[] = [];
  readonly services: string[] = [];
  readonly #writer = protobuf.Writer.create();

  constructor(file: string) {
    const text = readFileSync(new URL(`../proto/${file}`, import.meta.url), 'utf8');
    const parsed = protobuf.parse(text, { keepCase: true });
    const root = parsed.root.resolveAll();
    const pack = parsed.package!;
    this.#text(1, file);
    this.#text(2, pack);
    const space = root.lookup(pack) as protobuf.Namespace;
    for (const one of space.nestedArray) {
      if (one instanceof protobuf.Type) this.#inside(4, () => this.#message(one));
      else if (one instanceof protobuf.Enum) this.#inside(5, () => this.#enum(one));
      else if (one instanceof protobuf.Service) this.#inside(6, () => this.#service(one));
    }
    this.#text(12, 'proto3');
    this.bytes = Buffer.from(this.#writer.finish());
    this.symbols.sort();
  }

  #message(type: protobuf.Type): void {
    this.symbols.push(nameOf(type));
    this.#text(1, type.name);
    for (const field of type.fieldsArray) this.#inside(2, () => this.#field(type, field));
    for (const nested of type.nestedArray) {
      if (nested instanceof protobuf.Type) this.#inside(3, () => this.#message(nested));
    }
    for (const field of type.fieldsArray) {
      if (field instanceof protobuf.MapField) this.#inside(3, () => this.#mapEntry(type, field));
    }
    for (const nested of type.nestedArray) {
      if (nested instanceof protobuf.Enum) this.#inside(4, () => this.#enum(nested));
    }
    for (const oneof of type.oneofsArray) this.#inside(8, () => this.#text(1, oneof.name));
  }

  #field(type: protobuf.Type, field: AnyField): void {
    const map = field instanceof protobuf.MapField;
    this.#text(1, field.name);
    this.#number(3, field.id);
    this.#number(4, field.repeated || map ? 3 : 1);
    if (map) {
      this.#number(5, MESSAGE);
      this.#text(6, `.${nameOf(type)}.${entryName(field)}`);
    } else this.#type(field);
    if (field.partOf !== null) this.#number(9, type.oneofsArray.indexOf(field.partOf));
    this.#text(10, protobuf.util.camelCase(field.name));
  }

  #type(field: AnyField): void {
    const { resolvedType } = field;
    this.#number(5, resolvedType === null ? TYPES[field.type]! : resolvedType instanceof protobuf.Enum ? ENUM : MESSAGE);
    if (resolvedType !== null) this.#text(6, `.${nameOf(resolvedType)}`);
  }

  #mapEntry(type: protobuf.Type, field: protobuf.MapField): void {
    const key = new protobuf.Field('key', 1, field.keyType);
    const value = new protobuf.Field('value', 2, field.type);
    value.resolvedType = field.resolvedType;
    this.#text(1, entryName(field));
    this.#inside(2, () => this.#field(type, key));
    this.#inside(2, () => this.#field(type, value));
    this.#inside(7, () => this.#number(7, 1));
  }

  #enum(one: protobuf.Enum): void {
    this.symbols.push(nameOf(one));
    this.#text(1, one.name);
    for (const [name, value] of Object.entries(one.values)) {
      this.#inside(2, () => {
        this.#text(1, name);
        this.#number(2, value);
      });
    }
  }

  #service(service: protobuf.Service): void {
    this.symbols.push(nameOf(service));
    this.services.push(nameOf(service));
    this.#text(1, service.name);
    for (const method of service.methodsArray) {
      this.symbols.push(`${nameOf(service)}.${method.name}`);
      this.#inside(2, () => {
        this.#text(1, method.name);
        this.#text(2, `.${nameOf(method.resolvedRequestType!)}`);
        this.#text(3, `.${nameOf(method.resolvedResponseType!)}`);
        if (method.requestStream === true) this.#number(5, 1);
        if (method.responseStream === true) this.#number(6, 1);
      });
    }
  }

  #text(field: number, value: string): void {
    this.#writer.uint32((field << 3) | 2).string(value);
  }

  #number(field: number, value: number): void {
    this.#writer.uint32(field << 3).int32(value);
  }

  #inside(field: number, write: () => void): void {
    this.#writer.uint32((field << 3) | 2).fork();
    write();
    this.#writer.ldelim();
  }
}

const nameOf = (one: protobuf.ReflectionObject): string => one.fullName.replace(/^\./, '');

function entryName(field: AnyField): string {
  const name = protobuf.util.camelCase(field.name);
  return `${name.charAt(0).toUpperCase()}${name.slice(1)}Entry`;
}

if (import.meta.main) {
  writeFileSync(DESCRIPTORS_FILE, descriptorsSource());
  console.log('wrote src/wire/oip/descriptors.ts');
}
