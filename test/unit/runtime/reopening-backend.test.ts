import { describe, expect, it } from 'vitest';
import type { Backend, Call } from '../../../src/core/backend.ts';
import type { Signature } from '../../../src/core/signature.ts';
import { ReopeningBackend } from '../../../src/runtime/reopening-backend.ts';

const SIGNATURE: Signature = { platform: 'p', decoupled: false, inputs: [], outputs: [] };

/** Notes what is done to it under its number. */
function numbered(number: number, log: string[]): Backend {
  const note = (what: string): void => void log.push(`${what} ${number}`);
  return {
    kind: 'onnx',
    target: 'm.onnx',
    open: () => {
      note('open');
      return {} as Call;
    },
    warm: () => {
      note('warm');
      return Promise.resolve(SIGNATURE);
    },
    probe: () => {
      note('probe');
      return Promise.resolve(true);
    },
    close: () => {
      note('close');
      return Promise.resolve();
    },
  };
}

describe('ReopeningBackend', () => {
  it('is one backend until it is closed, and another when it is warmed after that', async () => {
    const log: string[] = [];
    let made = 0;
    const backend = new ReopeningBackend(() => numbered(++made, log));
    expect([backend.kind, backend.target]).toEqual(['onnx', 'm.onnx']);
    expect(await backend.warm()).toBe(SIGNATURE);
    await backend.warm();
    expect(await backend.probe(1)).toBe(true);
    await backend.close();
    expect(await backend.probe(1)).toBe(false);
    // What comes late is refused by the backend that was closed.
    backend.open({} as never, {} as never, {} as never);
    await backend.close();
    expect(made).toBe(1);
    await backend.warm();
    backend.open({} as never, {} as never, {} as never);
    expect(await backend.probe(1)).toBe(true);
    expect(log).toEqual(['warm 1', 'warm 1', 'probe 1', 'close 1', 'open 1', 'close 1', 'warm 2', 'open 2', 'probe 2']);
  });
});
