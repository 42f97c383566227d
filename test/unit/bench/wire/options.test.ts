import { describe, expect, it } from 'vitest';
import { readWireOptions } from '../../../../bench/wire/options.ts';

const IDS = ['grpc', 'hit', 'keys'];

describe('The command line of the wire run', () => {
  it('measures every row with both engines and writes the figures where nothing is said', () => {
    expect(readWireOptions([], IDS)).toEqual({ rows: IDS, engines: ['own', 'grpc-js'], rounds: 5, calls: 30_000, name: 'wire' });
  });

  it('does not write over the figures of all rows where only some are measured', () => {
    expect(readWireOptions(['--rows', 'keys,grpc'], IDS)).toMatchObject({ rows: ['grpc', 'keys'], name: '' });
    expect(readWireOptions(['--rows', 'keys', '--name', 'mine'], IDS).name).toBe('mine');
  });

  it.each([
    [['--rows', 'grpc,nothing'], '--rows: found "nothing"; expected some of grpc, hit, keys.'],
    [['--engines', ''], '--engines: found ""'],
    [['--rounds', '0'], '--rounds: found "0"; expected a number from 1 on.'],
    [['--calls', '1.5e3x'], '--calls: found "1.5e3x"'],
    [['--name', '../elsewhere'], '--name: found "../elsewhere"'],
  ])('says what is wrong with %j, and how it is called', (args, text) => {
    expect(() => readWireOptions(args, IDS)).toThrow(text);
    expect(() => readWireOptions(args, IDS)).toThrow('Usage: npm run bench:wire');
  });
});
