import type { SeededRandom } from '../../scripts/models/seeded-random.ts';
import { DATATYPES } from '../../src/core/datatype.ts';

/** JSON bodies that look like requests and are wrong in one place or another. */

const KEYS = [
  'id',
  'inputs',
  'outputs',
  'parameters',
  'name',
  'shape',
  'datatype',
  'data',
  'instances',
  'signature_name',
  'text_input',
  'sequence_id',
  'sequence_start',
  'priority',
  'timeout',
  'binary_data_size',
  'binary_data_output',
  'shared_memory_region',
  'b64',
  'x',
  'y',
  '__proto__',
  '',
] as const;
const NUMBERS = [
  '0',
  '-0',
  '1',
  '255',
  '256',
  '-1',
  '3.5',
  '1e400',
  '1e-400',
  '9007199254740993',
  '18446744073709551615',
  '-9223372036854775808',
  '1.7976931348623157e308',
  '0.1000000000000000055511151231257827021181583404541015625',
  '01',
  '1.',
  '.5',
  '+1',
  '1e',
  '-',
] as const;
const STRINGS = ['""', '"abc"', '"\\u00e9\\n"', '"\\ud83d\\ude00"', '"\\ud83d"', '"\\x"', '"é😀"', '"AAEC"', '"unended'] as const;
const WORDS = ['true', 'false', 'null', 'NaN', 'Infinity', '-Infinity', 'undefined'] as const;

const DEEPEST = 7;
const MOST_ELEMENTS = 6;

const pick = <T>(random: SeededRandom, items: readonly T[]): T => items[random.below(items.length)]!;

/** Any value, mostly well formed. */
export function anyValue(random: SeededRandom, depth = 0): string {
  const kinds = depth >= DEEPEST ? 3 : 5;
  switch (random.below(kinds)) {
    case 0:
      return pick(random, NUMBERS);
    case 1:
      return pick(random, STRINGS);
    case 2:
      return pick(random, WORDS);
    case 3:
      return `[${list(random, () => anyValue(random, depth + 1))}]`;
    default:
      return `{${list(random, () => `"${pick(random, KEYS)}":${anyValue(random, depth + 1)}`)}}`;
  }
}

/** An infer request whose parts are right most of the time. */
export function inferBody(random: SeededRandom): string {
  const fields = [`"inputs":${maybe(random, () => `[${list(random, () => tensor(random))}]`)}`];
  if (random.below(2) === 0) fields.push(`"id":${maybe(random, () => '"i"')}`);
  if (random.below(2) === 0) fields.push(`"parameters":${maybe(random, () => parameters(random))}`);
  if (random.below(3) === 0) fields.push(`"outputs":[${list(random, () => `{"name":${maybe(random, () => '"y"')}}`)}]`);
  if (random.below(8) === 0) fields.push(pick(random, fields));
  return `{${random.shuffle(fields).join(',')}}`;
}

/** A body of V1 or of `generate` for inputs x (numbers) and text (strings). */
export function valueBody(random: SeededRandom): string {
  const row = (): string => `{"x":${maybe(random, () => numbers(random))},"text":${maybe(random, () => pick(random, STRINGS))}}`;
  switch (random.below(3)) {
    case 0:
      return `{"instances":[${list(random, row)}]}`;
    case 1:
      return `{"inputs":${maybe(random, row)}}`;
    default:
      return row();
  }
}

/** A body of about `size` bytes that is well formed but for one thing too many of something. */
export function largeBody(random: SeededRandom, size: number): string {
  const fill = (piece: string, between = ','): string => {
    const count = Math.max(1, Math.floor(size / (piece.length + between.length)));
    return `${`${piece}${between}`.repeat(count - 1)}${piece}`;
  };
  const datatype = pick(random, DATATYPES);
  const element = datatype === 'BYTES' ? pick(random, STRINGS) : pick(random, NUMBERS);
  const data = fill(element);
  const count = random.below(2) === 0 ? 1 + (data.length - element.length) / (element.length + 1) : 2 ** random.below(53);
  const input = (values: string): string => `{"name":"x","datatype":"${datatype}","shape":[${count}],"data":[${values}]}`;
  switch (random.below(8)) {
    case 0:
      return `{"inputs":[${input(data)}]}`;
    case 1:
      // The data comes before what is needed to read it.
      return `{"inputs":[{"data":[${data}],"name":"x","datatype":"${datatype}","shape":[${count}]}]}`;
    case 2:
      return `{"inputs":[${fill(input(element))}]}`;
    case 3:
      return `{"inputs":[${input(`${fill('[', '')}${element}${fill(']', '')}`)}]}`;
    case 4:
      return `{${keys(size)}}`;
    case 5:
      return `{"parameters":{${keys(size)}},"inputs":[]}`;
    case 6:
      return `{"id":"${fill(pick(random, ['a', '\\n', '\\ud83d\\ude00', 'é']), '')}","inputs":[${input(fill('9', ''))}]}`;
    default:
      return `{"instances":[${fill(`{"x":[${element},1],"text":"a"}`)}]}`;
  }
}

/** Keys that are all different, and need as many comparisons as can be had. */
function keys(size: number): string {
  const all: string[] = [];
  for (let i = 0, length = 0; length < size; i++) {
    all.push(`"k${i}":${i}`);
    length += all[i]!.length + 1;
  }
  return all.join(',');
}

function tensor(random: SeededRandom): string {
  const datatype = pick(random, DATATYPES);
  const size = random.below(MOST_ELEMENTS);
  const element = (): string => (datatype === 'BYTES' ? pick(random, STRINGS) : pick(random, NUMBERS));
  const data = Array.from({ length: size }, element).join(',');
  const fields = [
    `"name":${maybe(random, () => '"x"')}`,
    `"datatype":${maybe(random, () => `"${datatype}"`)}`,
    `"shape":${maybe(random, () => `[${size}]`)}`,
    `"data":${maybe(random, () => (random.below(2) === 0 ? `[${data}]` : `[[${data}]]`))}`,
  ];
  if (random.below(4) === 0) fields.push(`"parameters":${maybe(random, () => parameters(random))}`);
  return `{${random.shuffle(fields).join(',')}}`;
}

function parameters(random: SeededRandom): string {
  return `{${list(random, () => `"${pick(random, KEYS)}":${anyValue(random, DEEPEST)}`)}}`;
}

function numbers(random: SeededRandom): string {
  return `[${list(random, () => pick(random, NUMBERS))}]`;
}

/** The right thing nine times out of ten. */
function maybe(random: SeededRandom, right: () => string): string {
  return random.below(10) === 0 ? anyValue(random, 4) : right();
}

function list(random: SeededRandom, element: () => string): string {
  return Array.from({ length: random.below(MOST_ELEMENTS) }, element).join(',');
}
