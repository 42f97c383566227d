/** Finds what a TypeScript file imports, by the shapes that the formatter lets an import have. */
export interface Import {
  readonly specifier: string;
  /** Nothing of it is left at run time. */
  readonly typeOnly: boolean;
}

// A statement begins its line, so that one inside a comment or a string does not count.
const STATEMENT = /^(?:import|export)\s+(type\s+)?(?:[\w*{][^'"`;]*?\s+from\s+)?['"]([^'"]+)['"]/gm;
const IN_PLACE = /(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]/g;
const REQUIRED = /\brequire(?:\.resolve)?\(\s*['"]([^'"]+)['"]/g;

export function importsOf(text: string): Import[] {
  const found: Import[] = [];
  for (const match of text.matchAll(STATEMENT)) found.push({ specifier: match[2]!, typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(IN_PLACE)) found.push({ specifier: match[2]!, typeOnly: match[1] !== undefined });
  for (const match of text.matchAll(REQUIRED)) found.push({ specifier: match[1]!, typeOnly: false });
  return found;
}
