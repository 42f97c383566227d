import { INVISIBLE } from './characters.ts';

/** Brings texts that look alike to the same letters, so that case, accents, width and hidden characters cannot hide a phrase. */

/** Texts of these characters alone, by far the most, need nothing but lower case and single spaces. */
const PLAIN = /^[ -~\t\n\r]*$/;
const HIDDEN = new RegExp(INVISIBLE.source, 'gv');
/** Hidden characters that a reader, human or model, may take for the end of a word. */
const HIDDEN_BREAKS = /[[\u200B\uFEFF\uFFF9-\uFFFD\p{Cc}]--[\t\n\v\f\r\x85]]/gv;
/** Accents that any script may carry. Signs that make up the letters of one script stay, as do the voicing marks of kana. */
const ACCENTS = /[[[\p{M}&&\p{Script=Inherited}]\p{Me}]--[\u3099\u309A]]/gv;
/**
 * Normalising sorts each run of marks by insertion: 50,000 of them took 1.3 seconds. No writing stacks more than a few.
 * The half-width voicing marks are letters that become marks.
 */
const MARK_PILES = /([\p{M}\uFF9E\uFF9F]{8})[\p{M}\uFF9E\uFF9F]+/gv;
/** One character that unfolds into 18. It stays one, so that a text of nothing else does not grow beyond measure. */
const SENTENCE = /\uFDFA/g;
const SENTENCE_KEPT = '\uE000';
const SPACES = /[\s\x85\u2800]+/gv;

/**
 * The ways `text` can be read, folded: with hidden characters left out, and, where some of them could end a word, with those as
 * spaces. Time is linear in the text; a character grows to 8 at most.
 */
export function readingsOf(text: string): readonly string[] {
  if (PLAIN.test(text)) return [singleSpaced(text.toLowerCase())];
  const joined = fold(text);
  const broken = text.replace(HIDDEN_BREAKS, ' ');
  return broken === text ? [joined] : [joined, fold(broken)];
}

function fold(text: string): string {
  const letters = text
    .replace(HIDDEN, '')
    .replace(ACCENTS, '')
    .replace(MARK_PILES, '$1')
    .replace(SENTENCE, SENTENCE_KEPT)
    .normalize('NFKD')
    // Once more, for what only the decomposition brought to light.
    .replace(ACCENTS, '')
    .replace(HIDDEN, '');
  return singleSpaced(caseless(letters).normalize('NFC'));
}

/** Upper case joins ß with ss; the first lower case is there for the capital ß, which has no other upper case. */
function caseless(text: string): string {
  return text.toLowerCase().toUpperCase().toLowerCase().replaceAll('ς', 'σ');
}

function singleSpaced(text: string): string {
  return text.replace(SPACES, ' ').trim();
}
