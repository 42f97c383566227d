import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/core/context.ts';
import { Fault } from '../../../src/core/faults.ts';
import { Phase } from '../../../src/core/verdict.ts';
import { createLog, type Log, type LogLevel } from '../../../src/telemetry/access-log.ts';
import { RequestKind } from '../../../src/telemetry/request-kind.ts';
import { KeptLines } from './kept-lines.ts';
import { answer, refuse, stranger } from './sample-request.ts';

const WALL_MS = 1_700_000_000_000;

/** Tells the log of a request that is over. */
const told = (log: Log, ctx: RequestContext, durationUs = 1): void => log.request(ctx, new RequestKind(ctx), durationUs, WALL_MS);

function logged(level: LogLevel, write: (log: Log) => void): KeptLines {
  const lines = new KeptLines();
  write(createLog(level, lines));
  return lines;
}

const lineOf = (ctx: RequestContext): Record<string, unknown> => {
  const lines = logged('debug', (log) => told(log, ctx, 2_400.4)).parsed;
  expect(lines).toHaveLength(1);
  return lines[0]!;
};

describe('access line', () => {
  it('tells who asked for what and how it went', () => {
    const ctx = answer(stranger());
    ctx.traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    ctx.flags = ['no-pii', 'bounds'];
    expect(lineOf(ctx)).toEqual({
      level: 'info',
      time: WALL_MS,
      request_id: 'req-1',
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      face: 'http',
      codec: 'oip',
      method: 'POST',
      path: '/v2/models/digits/infer',
      tenant: 'acme',
      key_id: 'abcd1234',
      model: 'digits',
      variant: 'v1',
      cache: 'miss',
      status: 200,
      duration_us: 2400,
      attempts: 1,
      rows: 2,
      bytes_in: 640,
      bytes_out: 80,
      cost_nano_usd: 1500,
      gone: false,
      flags: 'no-pii,bounds',
      phase_us: {
        identify: 5,
        admit: 5,
        decode: 5,
        authorise: 5,
        inspect_input: 5,
        place: 5,
        recall: 10,
        infer: 2000,
        inspect_output: 10,
        book: 10,
        reply: 140,
      },
      msg: 'request',
    });
  });

  it('tells of a refusal which fault, where and through whom', () => {
    const line = lineOf(refuse(stranger(), Fault.BadRequest, Phase.Decode, 'Input "x": expected 4 values.'));
    expect(line).toMatchObject({
      status: 400,
      fault: 'BAD_REQUEST',
      fault_phase: 'decode',
      blame: 'client',
      detail: 'Input "x": expected 4 values.',
    });
    expect(line).not.toHaveProperty('tenant');
    expect(line).not.toHaveProperty('model');
  });

  it('gives the status of the fault although no reply was ever encoded', () => {
    const ctx = refuse(answer(stranger()), Fault.ClientGone, Phase.Infer);
    ctx.gone = true;
    expect(lineOf(ctx)).toMatchObject({ status: 499, gone: true });
  });

  it('gives the status that gRPC knows for a gRPC request', () => {
    const line = lineOf(refuse(stranger({ face: 'grpc' }), Fault.RateLimited, Phase.Admit));
    expect(line['grpc_status']).toBe(8);
    expect(line).not.toHaveProperty('status');
  });

  it('bounds and escapes what callers and backends choose', () => {
    const ctx = stranger({ path: `/\u001b[2J\n${'a'.repeat(10_000)}`, method: 'X'.repeat(100) });
    const lines = logged('info', (log) => told(log, refuse(ctx, Fault.NotFound, Phase.Admit, 'd'.repeat(10_000))));
    const line = lines.parsed[0]!;
    expect(line['path']).toHaveLength(200);
    expect(line['detail']).toHaveLength(200);
    expect(line['method']).toHaveLength(16);
    expect(lines.text).toContain('\\u001b[2J\\na');
    expect(lines.text.length).toBeLessThan(1_200);
  });

  it.each([
    [Fault.RateLimited, 'info'],
    [Fault.BackendFailed, 'warn'],
    [Fault.Bug, 'error'],
  ])('logs %o by its blame', (kind, level) => {
    expect(lineOf(refuse(stranger(), kind, Phase.Infer))['level']).toBe(level);
  });

  it('keeps health probes for those who want to see everything', () => {
    expect(lineOf(stranger({}, { open: true }))['level']).toBe('debug');
  });

  it('writes nothing below the level that is asked for', () => {
    const lines = logged('warn', (log) => {
      told(log, answer(stranger()));
      told(log, refuse(stranger(), Fault.BackendFailed, Phase.Infer));
      log.info('quiet');
    });
    expect(lines.parsed.map((line) => line['level'])).toEqual(['warn']);
  });

  it('writes nothing at all when silent', () => {
    const lines = logged('silent', (log) => {
      told(log, refuse(stranger(), Fault.Bug, Phase.Infer));
      log.error('quiet');
    });
    expect(lines.text).toBe('');
  });

  it('holds no key, no query and nothing of what was asked or answered', () => {
    const KEY = 'sl_live_abcd1234_CANARYKEY';
    const PROMPT = 'CANARYPROMPT my card is 4111111111111111';
    const prompt = new TextEncoder().encode(PROMPT);
    const tensor = { name: 'CANARYTENSOR', datatype: 'BYTES', shape: [1], data: prompt } as const;
    const ctx = answer(
      stranger({
        query: 'token=CANARYQUERY',
        headers: { authorization: `Bearer ${KEY}`, 'x-api-key': KEY, cookie: 'CANARYCOOKIE' },
      }),
    );
    ctx.body = [prompt];
    ctx.request = {
      task: 'predict',
      model: 'digits',
      version: '',
      id: 'CANARYID',
      params: new Map([['CANARYPARAM', PROMPT]]),
      inputs: [tensor],
      wanted: [],
      timeoutUs: 0,
      sequenceId: 'CANARYSEQUENCE',
    };
    ctx.prediction = { outputs: [tensor], computeUs: 1 };
    ctx.reply.pieces = [prompt];
    ctx.reply.message = PROMPT;
    ctx.cacheKey = 'CANARYCACHEKEY';
    const refused = refuse(answer(stranger({ headers: { 'x-api-key': KEY } })), Fault.GuardBlocked, Phase.InspectInput);
    const lines = logged('debug', (log) => {
      told(log, ctx);
      told(log, refused);
    });
    expect(lines.parsed).toHaveLength(2);
    expect(lines.text).not.toMatch(/CANARY|4111/);
  });
});

describe('Log', () => {
  it('writes a fixed message with its data in fields', () => {
    const line = logged('info', (log) => log.info('listening', { port: 8080 })).parsed[0]!;
    expect(line).toMatchObject({ level: 'info', msg: 'listening', port: 8080 });
    expect(typeof line['time']).toBe('number');
  });

  it('writes errors with their cause', () => {
    const err = new Error('outer', { cause: new Error('inner') });
    const line = logged('info', (log) => log.error('lost error', { err })).parsed[0]!;
    expect(line['err']).toMatchObject({ type: 'Error', message: 'outer: inner' });
  });

  it('has a method for each level', () => {
    const lines = logged('debug', (log) => {
      log.debug('a');
      log.info('b');
      log.warn('c');
      log.error('d');
    });
    expect(lines.parsed.map((line) => line['level'])).toEqual(['debug', 'info', 'warn', 'error']);
  });
});
