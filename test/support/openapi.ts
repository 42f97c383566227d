/** An OpenAPI document as tests read it, and the small part of JSON Schema that it uses. */

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly 'x-sluice-needs': string;
  readonly 'x-sluice-roles': readonly string[];
  readonly parameters: readonly object[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: Content }>>;
}

export type Content = Readonly<Record<string, { readonly schema: Schema }>>;

export interface Document {
  readonly openapi: string;
  readonly info: { readonly title: string; readonly version: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export interface Named {
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly operation: Operation;
}

export function operationsOf(document: Document): Named[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => ({ method: method.toUpperCase(), path: path.slice(1), operation })),
  );
}

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What is wrong with `value`; empty when nothing is. Unknown properties are wrong where the schema forbids them. */
export function mismatches(document: Document, schema: Schema, value: unknown, path = '$'): string[] {
  const at = (inner: Schema, found: unknown, step: string): string[] => mismatches(document, inner, found, `${path}${step}`);
  if (schema.$ref !== undefined) return at(resolve(document, schema.$ref), value, '');
  const any = schema.anyOf ?? schema.oneOf;
  if (any !== undefined) {
    const tries = any.map((each) => at(each, value, ''));
    return tries.some((wrong) => wrong.length === 0) ? [] : tries.flat();
  }
  if (schema.allOf !== undefined) return schema.allOf.flatMap((each) => at(each, value, ''));
  if ('const' in schema && schema.const !== value) return [`${path} is not ${JSON.stringify(schema.const)}`];
  if (schema.enum !== undefined && !schema.enum.includes(value)) return [`${path} is none of ${schema.enum.join(', ')}`];
  if (schema.type !== undefined && !isOf(schema.type, value)) return [`${path} is no ${schema.type}: ${JSON.stringify(value)}`];
  if (typeof value === 'number' && (value < (schema.minimum ?? value) || value > (schema.maximum ?? value))) {
    return [`${path} is out of bounds: ${value}`];
  }
  if (Array.isArray(value))
    return value.flatMap((item, i) => (schema.items === undefined ? [] : at(schema.items, item, `[${i}]`)));
  if (typeof value !== 'object' || value === null) return [];
  const missing = (schema.required ?? [])
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => `${path}.${name} is missing`);
  const wrong = Object.entries(value).flatMap(([name, inner]) => {
    const known = schema.properties?.[name] ?? schema.additionalProperties ?? true;
    if (known === true) return [];
    return known === false ? [`${path}.${name} is unknown`] : at(known, inner, `.${name}`);
  });
  return [...missing, ...wrong];
}

export function resolve(document: Document, ref: string): Schema {
  let found: unknown = document;
  for (const step of ref.replace(/^#\//, '').split('/')) found = (found as Record<string, unknown>)[step];
  if (found === undefined) throw new Error(`${ref} leads nowhere`);
  return found as Schema;
}

function isOf(type: string, value: unknown): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'array':
      return Array.isArray(value);
    case 'object':
      return typeof value === 'object' && value !== null && !Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    default:
      return typeof value === type;
  }
}
