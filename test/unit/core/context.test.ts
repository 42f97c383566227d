import { describe, expect, it } from 'vitest';
import { PHASE_NAMES, Phase } from '../../../src/core/verdict.ts';
import { stranger } from '../telemetry/sample-request.ts';

describe('RequestContext', () => {
  it('has a mark of its own for each phase, and none at its start', () => {
    const ctx = stranger();
    expect(ctx.marksUs).toEqual(PHASE_NAMES.map(() => 0));
    expect(ctx.marksUs).toHaveLength(Phase.Done);
    ctx.marksUs[Phase.Identify] = 1.5;
    expect(stranger().marksUs[Phase.Identify]).toBe(0);
  });
});
