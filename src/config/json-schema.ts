import { z } from 'zod';

/** JSON Schema 2020-12, as the description of the admin API has it. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** `input` is what may be sent, where defaults are left out; `output` is what is answered. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output'): JsonSchema {
  // The dialect is stated once for the whole document.
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any' });
  return rest;
}
