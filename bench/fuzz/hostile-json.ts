/** JSON texts of a given size, each the worst of its kind. */

export interface HostileText {
  readonly name: string;
  readonly end: 'read' | 'refused';
  readonly text: string;
}

/** Bodies of an infer request of at most `size` bytes. */
export function hostileInferTexts(size: number): HostileText[] {
  const make = new TextMaker(size);
  return [...refused(make), ...read(make)];
}

/** Bodies of V1, for the inputs x [-1, -1] and text [-1]. */
export function hostileValueTexts(size: number): HostileText[] {
  const make = new TextMaker(size);
  return [
    reads('rows', make.filled('{"instances":[', '{"x":[1],"text":"a"}', ']}')),
    reads('one column of one digit', make.filled('{"inputs":{"text":["a"],"x":[[', '1', ']]}}')),
    reads('one column of rows', make.filled('{"inputs":{"text":["a"],"x":[', '[1]', ']}}')),
    reads('text in base64', make.filled('{"inputs":{"x":[[1]],"text":["a",', '{"b64":""}', ']}}')),
    refuses('rows after a larger one', make.filled('{"instances":[{"x":[1],"text":"a"},', '{}', ']}')),
    refuses('rows without a column', make.filled('{"instances":[', '[{}]', ']}')),
    refuses('a million keys', make.keys('{"inputs":{', '}}')),
  ];
}

const refuses = (name: string, text: string): HostileText => ({ name, end: 'refused', text });
const reads = (name: string, text: string): HostileText => ({ name, end: 'read', text });

function refused(make: TextMaker): HostileText[] {
  return [
    refuses('arrays in arrays', make.filled('', '[', '', '')),
    refuses('objects in objects', make.filled('', '{"a":', '', '')),
    refuses('arrays in tensor data', make.scalar('FP32', '[')),
    refuses('arrays in an unknown key', make.filled('{"more":', '[', '', '')),
    refuses('a million keys', make.keys('{', '}')),
    refuses('a million keys in an unknown key', make.keys('{"more":{', '}}')),
    refuses('a million parameters', make.keys('{"parameters":{', '}}')),
    refuses('a million keys in a tensor', make.keys('{"inputs":[{', '}]}')),
    refuses('an integer of a million digits', make.scalar('INT64', '9')),
    refuses(
      'an exponent of a million digits',
      make.filled('{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[1e', '1', ']}]}', ''),
    ),
    refuses('a dimension of a million digits', make.filled('{"inputs":[{"shape":[', '9', ']}]}', '')),
    refuses('a timeout of a million digits', make.filled('{"parameters":{"timeout":', '9', '}}', '')),
    refuses('an id of a million characters', make.filled('{"id":"', 'a', '"}', '')),
    refuses('an id of escapes', make.filled('{"id":"', '\\u0041', '"}', '')),
    refuses('a key of escapes', make.filled('{"', '\\u0061', '":1}', '')),
    refuses('many tensors', make.filled('{"inputs":[', '{"name":"x","datatype":"FP32","shape":[0],"data":[]}', ']}')),
    refuses(
      'many tensors with their data first',
      make.filled('{"inputs":[', '{"data":[1],"name":"x","datatype":"FP32","shape":[1]}', ']}'),
    ),
    refuses('many outputs', make.filled('{"outputs":[', '{"name":"y"}', '],"inputs":[]}')),
    refuses('a shape of 2^53 elements', '{"inputs":[{"name":"x","datatype":"FP64","shape":[94906267,94906267],"data":[1]}]}'),
    refuses('a shape of more than memory', '{"inputs":[{"name":"x","datatype":"FP64","shape":[99999999999],"data":[1]}]}'),
  ];
}

function read(make: TextMaker): HostileText[] {
  return [
    reads(
      'arrays side by side in an unknown key',
      make.filled('{"more":[', `${'['.repeat(26)}${']'.repeat(26)}`, '],"inputs":[]}'),
    ),
    reads('objects side by side in an unknown key', make.filled('{"more":[', '{"a":0,"b":1}', '],"inputs":[]}')),
    reads('white space', make.filled('{', ' ', '"inputs":[]}', '')),
    reads(
      'a fraction of a million digits',
      make.filled('{"inputs":[{"name":"x","datatype":"FP64","shape":[1],"data":[0.', '1', ']}]}', ''),
    ),
    reads('FP32 of one digit', make.tensor('FP32', '1')),
    reads('FP32 of eight digits', make.tensor('FP32', '-0.12345678')),
    reads('FP32 of one digit and an exponent', make.tensor('FP32', '1e-45')),
    reads('FP32 between two floats', make.tensor('FP32', '1.00000017881393421514957253748434595763683319091796875')),
    reads('FP64 of seventeen digits', make.tensor('FP64', '0.12345678901234567')),
    reads('FP64 with an exponent', make.tensor('FP64', '1e99')),
    reads('FP64 that is hardly normal', make.tensor('FP64', '2.2250738585072011e-308')),
    reads('INT64 at its end', make.tensor('INT64', '-9223372036854775808')),
    reads('UINT64 at its end', make.tensor('UINT64', '18446744073709551615')),
    reads('INT8 of one digit', make.tensor('INT8', '1')),
    reads('booleans', make.tensor('BOOL', 'true')),
    reads('empty strings', make.tensor('BYTES', '""')),
    reads('strings of escapes', make.tensor('BYTES', '"\\u00e9\\ud83d\\ude00"')),
    reads(
      'one string of escapes',
      make.filled('{"inputs":[{"name":"x","datatype":"BYTES","shape":[1],"data":["', '\\u00e9', '"]}]}', ''),
    ),
    reads('numbers before their datatype', make.tensor('FP32', '1', true)),
    reads('strings before their datatype', make.tensor('BYTES', '"\\""', true)),
  ];
}

/** Head and tail of a tensor, and the digits of its shape. */
const TENSOR_ROOM = 200;

class TextMaker {
  readonly #size: number;

  constructor(size: number) {
    this.#size = size;
  }

  /** As many of `piece` as fit between head and tail. */
  filled(head: string, piece: string, tail: string, between = ','): string {
    const count = Math.floor((this.#size - head.length - tail.length + between.length) / (piece.length + between.length));
    return head + new Array<string>(count).fill(piece).join(between) + tail;
  }

  /** One tensor of as many equal elements as fit. */
  tensor(datatype: string, element: string, dataFirst = false): string {
    const count = Math.floor((this.#size - TENSOR_ROOM) / (element.length + 1));
    const data = `"data":[${new Array<string>(count).fill(element).join(',')}]`;
    const head = `"name":"x","datatype":"${datatype}","shape":[${count}]`;
    return `{"inputs":[{${dataFirst ? `${data},${head}` : `${head},${data}`}}]}`;
  }

  /** One tensor of one element, which is a run of `piece`. */
  scalar(datatype: string, piece: string): string {
    return this.filled(`{"inputs":[{"name":"x","datatype":"${datatype}","shape":[1],"data":[`, piece, ']}]}', '');
  }

  /** An object of as many different keys as fit. */
  keys(head: string, tail: string): string {
    const all: string[] = [];
    for (let i = 0, size = head.length + tail.length; ; i++) {
      const key = `"${i.toString(36)}":0`;
      size += key.length + 1;
      if (size > this.#size) return head + all.join(',') + tail;
      all.push(key);
    }
  }
}
