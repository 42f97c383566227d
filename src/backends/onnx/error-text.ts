const MAX_CHARS = 200;

/** What went wrong, short enough for a log field and without the line ends that the runtime's messages hold. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .slice(0, MAX_CHARS)
    .replace(/\p{Cc}+/gu, ' ')
    .trim();
}
