import { LOWER_E, MINUS, POINT, ZERO } from './ascii.ts';
import { type ByteWriter, digitsOf } from './byte-writer.ts';

/** Floating-point numbers as JSON text that reads back as the same bits. NaN and the infinities are bare words, as other servers write them. */

const POWERS = Float64Array.from({ length: 23 }, (_, power) => Number(`1e${power}`));
const LEAST_DIGITS = 7;
const ENOUGH_DIGITS = 9; // tell any two FP32 values apart
const LEAST = 1e-13; // its digits are scaled by 10^22, the largest exact power
const ALWAYS_WHOLE = 2 ** 23; // from here on FP32 holds integers alone
const PLAIN_FROM = -5; // as Number prints: 0.00001, then 1e-6
const MAX_TEXT = 32;

/** @hot The shortest text that reads back as the same FP32 value, usually: seven digits if they do, else eight or nine. */
export function writeFloat32(writer: ByteWriter, value: number): void {
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e9 && !Object.is(value, -0)) {
    writer.integer(value);
    return;
  }
  if (!(size >= LEAST && size < ALWAYS_WHOLE)) {
    writeText(writer, isPlain(value) ? shortestFloat32(value) : specialText(value));
    return;
  }
  writer.room(MAX_TEXT);
  if (value < 0) writer.chunk[writer.at++] = MINUS;
  const exponent = decimalExponent(size);
  for (let digits = LEAST_DIGITS; ; digits++) {
    const scale = digits - 1 - exponent;
    const whole = Math.round(size * POWERS[scale]!);
    // A quotient of exact numbers is rounded once: what a reader makes of the text.
    if (digits === ENOUGH_DIGITS || Math.fround(whole / POWERS[scale]!) === size) {
      writeDecimal(writer, whole, scale);
      return;
    }
  }
}

/** @hot The shortest text that reads back as the same FP64 value. */
export function writeFloat64(writer: ByteWriter, value: number): void {
  writeText(writer, isPlain(value) ? String(value) : specialText(value));
}

/** `whole` times 10^-scale, without the zeros at its end. */
function writeDecimal(writer: ByteWriter, whole: number, scale: number): void {
  let digits = whole;
  let fraction = scale;
  while (fraction > 0 && digits % 10 === 0) {
    digits /= 10;
    fraction--;
  }
  const count = digitsOf(digits);
  const exponent = count - 1 - fraction;
  if (exponent < PLAIN_FROM) {
    writeScientific(writer, digits, count, exponent);
    return;
  }
  if (fraction >= count) {
    // All of it stands behind the point: zeros, then the digits.
    writer.digits(0, 1);
    writer.chunk[writer.at++] = POINT;
    for (let zeros = fraction - count; zeros > 0; zeros--) writer.chunk[writer.at++] = ZERO;
    writer.digits(digits, count);
    return;
  }
  const head = Math.floor(digits / POWERS[fraction]!);
  writer.digits(head, count - fraction);
  if (fraction === 0) return;
  writer.chunk[writer.at++] = POINT;
  writer.digits(digits - head * POWERS[fraction]!, fraction);
}

function writeScientific(writer: ByteWriter, digits: number, count: number, exponent: number): void {
  const head = Math.floor(digits / POWERS[count - 1]!);
  writer.digits(head, 1);
  if (count > 1) {
    writer.chunk[writer.at++] = POINT;
    writer.digits(digits - head * POWERS[count - 1]!, count - 1);
  }
  writer.chunk[writer.at++] = LOWER_E;
  writer.chunk[writer.at++] = MINUS;
  writer.digits(-exponent, digitsOf(-exponent));
}

/** The power of ten of the leading digit; one off near a power of ten does no harm, since what is written was read back. */
function decimalExponent(size: number): number {
  let exponent = 0;
  if (size >= 1) {
    while (size >= POWERS[exponent + 1]!) exponent++;
    return exponent;
  }
  while (size * POWERS[exponent]! < 1) exponent++;
  return -exponent;
}

/** For the rare sizes: very small and very large. */
function shortestFloat32(value: number): string {
  for (let digits = LEAST_DIGITS; digits < ENOUGH_DIGITS; digits++) {
    const short = Number(value.toPrecision(digits));
    if (Math.fround(short) === value) return String(short);
  }
  return String(Number(value.toPrecision(ENOUGH_DIGITS)));
}

function isPlain(value: number): boolean {
  return value - value === 0 && value !== 0;
}

/** Zero keeps its sign, in a form that no reader takes for an integer. */
function specialText(value: number): string {
  if (value !== 0) return String(value);
  return Object.is(value, -0) ? '-0.0' : '0';
}

function writeText(writer: ByteWriter, text: string): void {
  writer.room(MAX_TEXT);
  writer.at += writer.chunk.write(text, writer.at, 'latin1');
}
