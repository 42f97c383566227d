import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CacheKeyParts, cacheKey } from '../../../src/cache/cache-key.ts';
import type { InferenceRequest, Tensor } from '../../../src/core/inference.ts';

const SEED = 20_260;
const tensor = (
  name: string,
  data: readonly number[],
  shape = [data.length],
  datatype: Tensor['datatype'] = 'UINT8',
): Tensor => ({
  name,
  datatype,
  shape,
  data: Uint8Array.from(data),
});

function partsOf(request: Partial<InferenceRequest>, others: Partial<CacheKeyParts> = {}): CacheKeyParts {
  const whole: InferenceRequest = {
    task: 'predict',
    model: 'm',
    version: '',
    id: '',
    params: new Map(),
    inputs: [],
    wanted: [],
    timeoutUs: 0,
    sequenceId: '',
    ...request,
  };
  return { tenant: 't', model: 'm', variant: 'v', policy: 'p', ...others, request: whole };
}

const keyOf = (request: Partial<InferenceRequest>, others: Partial<CacheKeyParts> = {}) => cacheKey(partsOf(request, others));
const inputsKey = (...inputs: Tensor[]) => keyOf({ inputs });

describe('cacheKey', () => {
  it('is the request itself where that is short, and else a SHA-256 in base64', () => {
    expect(keyOf({}).charCodeAt(0)).toBe(0);
    expect(keyOf({ wanted: ['long'.repeat(200)] })).toMatch(/^[A-Za-z0-9+/]{43}=$/);
  });

  it('leaves out the id, the timeout and the version that the caller wrote', () => {
    expect(keyOf({ id: 'a', timeoutUs: 5, version: 'v1' })).toBe(keyOf({ id: 'b', timeoutUs: 9, version: '' }));
  });

  it('does not mind the order in which inputs and parameters came', () => {
    const a = tensor('a', [1]);
    const b = tensor('b', [2]);
    expect(inputsKey(a, b)).toBe(inputsKey(b, a));
    const one = new Map<string, number>([
      ['x', 1],
      ['y', 2],
    ]);
    const other = new Map<string, number>([
      ['y', 2],
      ['x', 1],
    ]);
    expect(keyOf({ params: one })).toBe(keyOf({ params: other }));
  });

  it('leaves the inputs of the request in their order', () => {
    const inputs = [tensor('b', [1]), tensor('a', [2])];
    keyOf({ inputs });
    expect(inputs.map((input) => input.name)).toEqual(['b', 'a']);
  });

  it('minds the order of the outputs asked for', () => {
    expect(keyOf({ wanted: ['a', 'b'] })).not.toBe(keyOf({ wanted: ['b', 'a'] }));
  });

  it('keeps tenants, models, variants and policies apart', () => {
    const keys = [
      keyOf({}),
      keyOf({}, { tenant: 'x' }),
      keyOf({}, { model: 'x' }),
      keyOf({}, { variant: 'x' }),
      keyOf({}, { policy: 'x' }),
    ];
    expect(new Set(keys).size).toBe(5);
  });

  it('keeps what is predicted of inputs apart from what is explained of them', () => {
    const inputs = [tensor('a', [1])];
    expect(keyOf({ inputs, task: 'explain' })).not.toBe(keyOf({ inputs }));
    expect(keyOf({ inputs, task: 'explain' })).toBe(keyOf({ inputs, task: 'explain', id: 'b' }));
  });

  it.each<[string, () => string, () => string]>([
    [
      'the same bytes in another shape',
      () => inputsKey(tensor('a', [1, 2, 3, 4], [2, 2])),
      () => inputsKey(tensor('a', [1, 2, 3, 4], [4, 1])),
    ],
    [
      'the same bytes as another datatype',
      () => inputsKey(tensor('a', [1, 2], [2], 'UINT8')),
      () => inputsKey(tensor('a', [1, 2], [2], 'INT8')),
    ],
    [
      'a byte moved to the next input',
      () => inputsKey(tensor('a', [1, 2]), tensor('b', [3])),
      () => inputsKey(tensor('a', [1]), tensor('b', [2, 3])),
    ],
    ['one input split in two', () => inputsKey(tensor('a', [1, 2])), () => inputsKey(tensor('a', [1]), tensor('a', [2]))],
    ['a dimension 1 more', () => inputsKey(tensor('a', [1], [1])), () => inputsKey(tensor('a', [1], [1, 1]))],
    [
      'a letter moved between tenant and model',
      () => keyOf({}, { tenant: 'ab', model: 'c' }),
      () => keyOf({}, { tenant: 'a', model: 'bc' }),
    ],
    ['a letter moved between wanted names', () => keyOf({ wanted: ['ab', 'c'] }), () => keyOf({ wanted: ['a', 'bc'] })],
    ['a wanted name with a comma', () => keyOf({ wanted: ['a,b'] }), () => keyOf({ wanted: ['a', 'b'] })],
    ['an output asked for by name rather than all', () => keyOf({ wanted: [''] }), () => keyOf({ wanted: [] })],
    ['names that UTF-8 cannot tell apart', () => inputsKey(tensor('\ud800', [1])), () => inputsKey(tensor('\udfff', [1]))],
    [
      'a parameter as text rather than a number',
      () => keyOf({ params: new Map([['p', '1']]) }),
      () => keyOf({ params: new Map([['p', 1]]) }),
    ],
    [
      'a parameter as a number rather than an int64',
      () => keyOf({ params: new Map([['p', 1]]) }),
      () => keyOf({ params: new Map([['p', 1n]]) }),
    ],
    [
      'a parameter as a truth value',
      () => keyOf({ params: new Map([['p', true]]) }),
      () => keyOf({ params: new Map([['p', 1]]) }),
    ],
    ['a false parameter', () => keyOf({ params: new Map([['p', true]]) }), () => keyOf({ params: new Map([['p', false]]) })],
    [
      'int64 parameters beyond 2^53',
      () => keyOf({ params: new Map([['p', 2n ** 53n]]) }),
      () => keyOf({ params: new Map([['p', 2n ** 53n + 1n]]) }),
    ],
    [
      'a parameter in the place of a wanted output',
      () => keyOf({ wanted: ['p'] }),
      () => keyOf({ params: new Map([['p', '']]) }),
    ],
  ])('tells apart %s', (_name, one, other) => {
    expect(one()).not.toBe(other());
  });

  it('sees the last byte of a tensor larger than its scratch space', () => {
    const zeros = new Uint8Array(100_000);
    const last = zeros.slice();
    last[99_999] = 1;
    const of = (data: Uint8Array) => inputsKey({ name: 'a', datatype: 'UINT8', shape: [100_000], data });
    expect(of(zeros)).not.toBe(of(last));
    expect(of(zeros)).toBe(of(zeros.slice()));
  });

  it('is not changed by what was digested before, also when that was cut short', () => {
    const before = keyOf({ wanted: ['a'] });
    inputsKey({ name: 'a', datatype: 'UINT8', shape: [50_000], data: new Uint8Array(50_000) });
    expect(() => keyOf({ inputs: [null as unknown as Tensor] })).toThrow();
    expect(keyOf({ wanted: ['a'] })).toBe(before);
  });

  it('is shared by two requests if and only if all that matters is equal', () => {
    let equal = 0;
    fc.assert(
      fc.property(tiny, tiny, (one, other) => {
        const same = canonical(one) === canonical(other);
        if (same) equal++;
        expect(cacheKey(one) === cacheKey(other)).toBe(same);
      }),
      { seed: SEED, numRuns: 4_000 },
    );
    expect(equal).toBeGreaterThan(50);
  });

  it('changes when any one part of a larger request changes', () => {
    fc.assert(
      fc.property(parts, parts, fc.nat({ max: 6 }), (base, donor, which) => {
        const changed = withPartOf(base, donor, which);
        expect(cacheKey(base) === cacheKey(changed)).toBe(canonical(base) === canonical(changed));
      }),
      { seed: SEED, numRuns: 2_000 },
    );
  });
});

// Small alphabets, so that equal and nearly equal requests are common.
const word = fc.constantFrom('', 'a', 'b', 'ab', 'a\0');
const names = fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 2 });
const input: fc.Arbitrary<Tensor> = fc.record({
  name: fc.constantFrom('a', 'ab'),
  datatype: fc.constantFrom('UINT8', 'INT8'),
  shape: fc.array(fc.constantFrom(0, 1, 2), { maxLength: 2 }),
  data: fc.array(fc.constantFrom(0, 1), { maxLength: 2 }).map((data) => Uint8Array.from(data)),
});
const params = fc
  .uniqueArray(fc.tuple(fc.constantFrom('a', 'b'), fc.constantFrom<string | number | bigint | boolean>('1', 1, 1n, true)), {
    selector: ([name]) => name,
    maxLength: 2,
  })
  .map((pairs) => new Map(pairs));
const parts: fc.Arbitrary<CacheKeyParts> = fc
  .record({
    tenant: fc.constantFrom('a', 'ab'),
    variant: fc.constantFrom('b', 'bb'),
    policy: fc.constantFrom('', 'b'),
    id: word,
    wanted: names,
    params,
    inputs: fc.uniqueArray(input, { selector: (tensor) => tensor.name, maxLength: 2 }),
  })
  .map(({ tenant, variant, policy, ...request }) => partsOf(request, { tenant, variant, policy }));

/** So small that two of them are often equal. */
const tiny: fc.Arbitrary<CacheKeyParts> = fc.oneof(
  fc.tuple(word, names).map(([tenant, wanted]) => partsOf({ wanted }, { tenant })),
  params.map((some) => partsOf({ params: some })),
  fc.tuple(word, input).map(([id, one]) => partsOf({ id, inputs: [one] })),
);

/** The same question answered plainly: all that matters, in one order, as JSON. */
function canonical({ tenant, model, variant, policy, request }: CacheKeyParts): string {
  const inputs = request.inputs.map((one) => [one.name, one.datatype, one.shape, Array.from(one.data)] as const);
  const sortedInputs = inputs.sort(([a], [b]) => (a < b ? -1 : 1));
  const sortedParams = [...request.params]
    .map(([name, value]) => [name, typeof value, String(value)])
    .sort(([a], [b]) => (a! < b! ? -1 : 1));
  return JSON.stringify([tenant, model, variant, policy, request.wanted, sortedParams, sortedInputs]);
}

function withPartOf(base: CacheKeyParts, donor: CacheKeyParts, which: number): CacheKeyParts {
  const request = { ...base.request };
  switch (which) {
    case 0:
      return { ...base, tenant: donor.tenant };
    case 1:
      return { ...base, variant: donor.variant };
    case 2:
      return { ...base, policy: donor.policy };
    case 3:
      return { ...base, request: { ...request, wanted: donor.request.wanted } };
    case 4:
      return { ...base, request: { ...request, params: donor.request.params } };
    case 5:
      return { ...base, request: { ...request, inputs: donor.request.inputs } };
    default:
      return { ...base, request: { ...request, id: donor.request.id } };
  }
}
