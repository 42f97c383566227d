import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type Face, FaultScene, type Kind, MODEL, WAYS } from '../support/fault-scene.ts';
import { binaryOutputs, jsonOutputs } from '../support/oip-http-server.ts';
import type { OipTensor } from '../support/oip-messages.ts';
import { answerBytes, answerOutputs } from '../support/oip-server.ts';
import { answer, cut, type HttpScript } from '../support/scripted-http-server.ts';

/** What no caller may ever see of a backend. */
const CANARY = 'words-of-the-backend-7f3a';
const INTERNAL = 13;
const UNAVAILABLE = 14;
const RECOVERY_LIMIT_MS = 25_000;

let scene: FaultScene;
beforeAll(async () => {
  scene = await FaultScene.start();
});
afterEach(() => scene.heal());
afterAll(async () => expect(await scene.stop()).toBe(0));

/** The caller learns that the backend failed and nothing that it said; the gateway lives, charges nothing and counts it. */
async function isKeptFromCallers(face: Face, kind: Kind, code: RegExp): Promise<void> {
  const before = await scene.usage(kind);
  const failures = (await scene.variants(kind))[0]!.failures;
  const told = await scene.ask(face, kind);
  expect(told.code, told.text).toMatch(code);
  if (face === 'rest') expect([502, 503]).toContain(told.status);
  else expect([INTERNAL, UNAVAILABLE]).toContain(told.status);
  expect(told.text).not.toContain(CANARY);
  const after = await scene.usage(kind);
  expect([after.failures - before.failures, after.costNano - before.costNano]).toEqual([1, 0]);
  expect((await scene.variants(kind))[0]!.failures).toBe(failures + 1);
  await scene.heal();
  expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
  await scene.idle();
}

const JSON_TYPE = { 'content-type': 'application/json' };
const garbage: readonly (readonly [string, HttpScript])[] = [
  ['text that is no JSON', answer(200, `{"outputs":[${CANARY}`, JSON_TYPE)],
  ['JSON of another kind', answer(200, JSON.stringify([CANARY]), JSON_TYPE)],
  ['a body that is not packed as it says', answer(200, CANARY, { ...JSON_TYPE, 'content-encoding': 'gzip' })],
  ['half a packed body', answer(200, gzipSync(CANARY.repeat(50)).subarray(0, 40), { ...JSON_TYPE, 'content-encoding': 'gzip' })],
  ['a packing that nobody knows', answer(200, CANARY, { ...JSON_TYPE, 'content-encoding': 'zebra' })],
  ['bytes that are no HTTP', cut(`${CANARY}\r\n\r\n`)],
  ['header fields without end', cut(`HTTP/1.1 200 OK\r\nx: ${CANARY.repeat(2_000)}`)],
  ['two lengths', cut(`HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-length: 5\r\n\r\n${CANARY}`)],
  ['a binary length past the body', answer(200, CANARY, { ...JSON_TYPE, 'inference-header-content-length': '999999' })],
  ['a million brackets', answer(200, '['.repeat(1_000_000), JSON_TYPE)],
];

describe('a backend that answers garbage over HTTP', () => {
  it.each(garbage)('as %s costs one failure', async (_what, script) => {
    scene.behave({ http: () => script });
    await isKeptFromCallers('rest', 'http', /^BACKEND_(LIED|FAILED)$/);
    scene.behave({ http: () => script });
    await isKeptFromCallers('grpc', 'http', /^BACKEND_(LIED|FAILED)$/);
  });
});

const messages: readonly (readonly [string, Buffer])[] = [
  ['text', Buffer.from(CANARY)],
  ['a field longer than the message', Buffer.from([0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f, ...Buffer.from(CANARY)])],
  ['a number without end', Buffer.alloc(64, 0xff)],
  ['nothing', Buffer.alloc(0)],
  ['groups in groups', Buffer.alloc(100_000, 0x0b)],
];

describe('a backend that answers garbage over gRPC', () => {
  it.each(messages)('as %s in place of a message costs one failure', async (_what, bytes) => {
    for (const face of ['rest', 'grpc'] as const) {
      scene.behave({ grpc: () => answerBytes(bytes) });
      await isKeptFromCallers(face, 'grpc', /^BACKEND_LIED$/);
    }
  });
});

describe('a wire that changes bytes', () => {
  it.each(WAYS)(
    'between the gateway and its backend costs a failure over %s in front of %s, wherever it begins',
    async (face, kind) => {
      for (const from of [0, 9, 30]) {
        await scene.ask(face, kind);
        scene.proxies[kind].set('answer', { is: 'garbage', from });
        const told = await scene.ask(face, kind, { 'x-sluice-timeout-ms': '1500' });
        expect(told.code, told.text).toMatch(/^(BACKEND_\w+|DEADLINE_OVER)$/);
        // What has gone wrong on a connection cannot be told from what it says next.
        scene.proxies[kind].resetAll();
        await scene.heal();
        expect(await scene.recoveryMs(face, kind)).toBeLessThan(RECOVERY_LIMIT_MS);
      }
      await scene.idle();
    },
  );
});

const y: OipTensor = { name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) };
const lies: readonly (readonly [string, readonly OipTensor[]])[] = [
  ['another name', [{ ...y, name: CANARY }]],
  ['another datatype', [{ ...y, datatype: 'INT32' }]],
  ['another rank', [{ ...y, shape: [2] }]],
  ['another number of rows', [{ ...y, shape: [2, 2], data: Buffer.alloc(16) }]],
  ['too few bytes', [{ ...y, data: Buffer.alloc(4) }]],
  ['an output more', [y, { ...y, name: CANARY }]],
  ['the same output twice', [y, y]],
  ['none of its outputs', []],
];

describe('a backend whose answer does not fit its signature', () => {
  it.each(lies)('by %s is never passed on', async (_what, outputs) => {
    for (const face of ['rest', 'grpc'] as const) {
      scene.behave({ grpc: () => answerOutputs(outputs) });
      await isKeptFromCallers(face, 'grpc', /^BACKEND_LIED$/);
      for (const script of [jsonOutputs(outputs), binaryOutputs(outputs)]) {
        scene.behave({ http: () => script });
        await isKeptFromCallers(face, 'http', /^BACKEND_LIED$/);
      }
    }
  });

  it('leaves the variant as it was: the model still has one signature', async () => {
    expect((await scene.variants('http'))[0]).toMatchObject({ name: 'v1', readiness: 'ready' });
    expect(MODEL.outputs[0]!.name).toBe('y');
  });
});
