/** Cuts text into terms exactly as the ONNX operators StringNormalizer (locale C, LOWER) and StringSplit do. */

/** Joins the two words of a bigram; a space never occurs inside a word. */
export const BIGRAM_JOINT = ' ';

/** ASCII letters alone are lowered, as the C locale does; a space alone separates, as onnxruntime's StringSplit does. */
export function wordsOf(text: string): string[] {
  const lowered = text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
  return lowered.split(' ').filter((word) => word !== '');
}

/** Each word, and each pair of neighbours where `gramLengthMax` is 2; every term once. */
export function termsOf(text: string, gramLengthMax: 1 | 2): Set<string> {
  const words = wordsOf(text);
  const terms = new Set(words);
  if (gramLengthMax === 1) return terms;
  for (let index = 1; index < words.length; index += 1) terms.add(`${words[index - 1]}${BIGRAM_JOINT}${words[index]}`);
  return terms;
}
