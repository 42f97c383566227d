import type { JsonCursor } from './cursor.ts';

/**
 * A JSON number as it was read: leading digits, a power of ten and where its text stands. The usual number becomes exact from those
 * alone; the others go through `Number` on the text.
 */
export class NumberToken {
  from = 0;
  to = 0;
  negative = false;
  /** Written without fraction and exponent. */
  integral = true;
  /** Digits in the mantissa, without the zeros that lead a fraction. */
  digits = 0;
  /** Power of ten that the mantissa is to be multiplied with. */
  scale = 0;
  /** In an array of one, since a fraction in a field would be a heap number. */
  readonly mantissa = new Float64Array(1);
}

// Not from ascii.ts: the engine loads an imported constant anew at each use, which cost a twelfth of the time to read a tensor.
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const LOWER_E = 0x65;

const EXACT_DIGITS = 15; // below 2^53
const EXACT_SCALE = 22; // 10^22 is the largest power of ten that is a double
const BLOCK = 4;
const BLOCK_VALUES = 10_000;
/** Digits past the 17th cannot move a double by more than the margin below. A block of four may bring the count up to 19. */
const MAX_DIGITS = 17;
const NARROW_SCALE = 60;
const TOO_LARGE_EXPONENT = 100_000;
const UNUSABLE_DIGITS = 99;
const POWERS = Float64Array.from({ length: NARROW_SCALE + 1 }, (_, power) => Number(`1e${power}`));

/**
 * Seven roundings of 2^-53 happen at most: four while the digits past the 15th are added, one for the digits cut off, one for the power
 * and one for the product. If everything within 2^-49 of the result rounds to one FP32 value, so does the number that was written.
 */
const MARGIN = 2 ** -49;
const LEAST_NORMAL = 2 ** -126;
const GREATEST = 3.4e38;

/** @hot Reads the number at the cursor into `cursor.number`. Its state stays in locals, which the engine keeps in registers. */
export function scanNumber(cursor: JsonCursor): boolean {
  const { bytes, view, end, number } = cursor;
  let at = cursor.at;
  number.from = at;
  number.negative = at < end && bytes[at] === MINUS;
  if (number.negative) at++;
  const first = at;
  let mantissa = 0;
  let digits = 0;
  for (let digit = digitAt(bytes, at, end); digit >= 0; digit = digitAt(bytes, ++at, end)) {
    if (digits === MAX_DIGITS) continue;
    mantissa = mantissa * 10 + digit;
    digits++;
  }
  if (at === first) return missingDigit(cursor, at);
  if (at > first + 1 && bytes[first] === ZERO) return cursor.fail('a number begins with a needless zero', first);
  let scale = at - first - digits;
  number.integral = at >= end || bytes[at] !== POINT;
  if (!number.integral) {
    const fraction = ++at;
    if (mantissa === 0) {
      digits = 0;
      while (at < end && bytes[at] === ZERO) at++;
      scale = fraction - at;
    }
    while (digits < MAX_DIGITS - 1) {
      const block = blockAt(view, at, end);
      if (block < 0) break;
      mantissa = mantissa * BLOCK_VALUES + block;
      digits += BLOCK;
      scale -= BLOCK;
      at += BLOCK;
    }
    for (let digit = digitAt(bytes, at, end); digit >= 0; digit = digitAt(bytes, ++at, end)) {
      if (digits >= MAX_DIGITS) continue;
      mantissa = mantissa * 10 + digit;
      digits++;
      scale--;
    }
    if (at === fraction) return missingDigit(cursor, at);
  }
  number.mantissa[0] = mantissa;
  number.digits = digits;
  number.scale = scale;
  number.to = at;
  if (at < end && (bytes[at]! | 0x20) === LOWER_E) return scanExponent(cursor, at + 1);
  cursor.at = at;
  return true;
}

function digitAt(bytes: Uint8Array, at: number, end: number): number {
  const digit = at < end ? bytes[at]! - ZERO : -1;
  return digit <= 9 ? digit : -1;
}

/** The value of the four digits at `at`, or -1 when there are none. */
function blockAt(view: DataView, at: number, end: number): number {
  if (at + BLOCK > end) return -1;
  const word = view.getInt32(at, true);
  // Digits are 0x30 to 0x39: the upper half says 3, and still does so when 6 is added.
  if ((word & 0xf0f0f0f0) !== 0x30303030 || ((word + 0x06060606) & 0xf0f0f0f0) !== 0x30303030) return -1;
  const units = word & 0x0f0f0f0f;
  const pairs = Math.imul(units, 10) + (units >>> 8);
  return (pairs & 0xff) * 100 + ((pairs >>> 16) & 0xff);
}

function scanExponent(cursor: JsonCursor, from: number): boolean {
  const { bytes, end, number } = cursor;
  let at = from;
  const sign = at < end ? bytes[at]! : 0;
  if (sign === MINUS || sign === PLUS) at++;
  const first = at;
  let exponent = 0;
  while (at < end) {
    const digit = bytes[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    // Digits beyond are not counted, so the scale would be wrong: the text has to speak.
    if (exponent >= TOO_LARGE_EXPONENT) number.digits = UNUSABLE_DIGITS;
    else exponent = exponent * 10 + digit;
    at++;
  }
  if (at === first) return missingDigit(cursor, at);
  number.integral = false;
  number.scale += sign === MINUS ? -exponent : exponent;
  number.to = at;
  cursor.at = at;
  return true;
}

/** @hot The number that was read last, exactly as `Number` reads its text. */
export function toFloat64(cursor: JsonCursor): number {
  const number = cursor.number;
  const scale = number.scale;
  if (number.digits > EXACT_DIGITS || scale > EXACT_SCALE || scale < -EXACT_SCALE) return fromText(cursor);
  // Both factors are exact, so their product or quotient is rounded once, as it should be.
  const size = scale < 0 ? number.mantissa[0]! / POWERS[-scale]! : number.mantissa[0]! * POWERS[scale]!;
  return number.negative ? -size : size;
}

/**
 * @hot A double that rounds to the same FP32 value as `toFloat64` does. Most callers write FP32 as doubles of 17 digits, which `Number`
 * would read at a fourth of the speed.
 */
export function toFloat32(cursor: JsonCursor): number {
  const number = cursor.number;
  const scale = number.scale;
  if (number.digits === UNUSABLE_DIGITS || scale > NARROW_SCALE || scale < -NARROW_SCALE) return fromText(cursor);
  const size = scale < 0 ? number.mantissa[0]! / POWERS[-scale]! : number.mantissa[0]! * POWERS[scale]!;
  if (number.digits <= EXACT_DIGITS && scale <= EXACT_SCALE && scale >= -EXACT_SCALE) return number.negative ? -size : size;
  const least = Math.fround(size * (1 - MARGIN));
  if (least < LEAST_NORMAL || size > GREATEST || least !== Math.fround(size * (1 + MARGIN))) return fromText(cursor);
  return number.negative ? -least : least;
}

/** The text of the number that was read last. */
export function numberText(cursor: JsonCursor): string {
  return cursor.bytes.toString('latin1', cursor.number.from, cursor.number.to);
}

function fromText(cursor: JsonCursor): number {
  return Number(numberText(cursor));
}

function missingDigit(cursor: JsonCursor, at: number): boolean {
  cursor.at = at;
  return cursor.expected('a digit');
}
