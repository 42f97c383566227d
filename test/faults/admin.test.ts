import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PlanView } from '../../src/core/control-plane.ts';
import { FaultScene } from '../support/fault-scene.ts';
import { admin, eventually } from '../support/gateway-under-test.ts';

describe('a flood on the admin port', () => {
  /** More than it takes, so that some are refused at the door. */
  const FLOODERS = 300;
  const MAX_CONNECTIONS = 256;
  const PER_SECOND = 50;
  const ASKED = 200;

  let scene: FaultScene;
  beforeAll(async () => {
    scene = await FaultScene.start({ config: { listen: { admin: { maxRequestsPerSecond: PER_SECOND } } } });
  });
  afterAll(async () => expect(await scene.stop()).toBe(0));

  /** Asks for the metrics again and again, on a new connection whenever the old one is closed; counts the answers. */
  function flood(port: number): { readonly answers: () => number; readonly stop: () => void } {
    let answers = 0;
    let stopped = false;
    const sockets = new Set<Socket>();
    const begin = (): void => {
      if (stopped) return;
      const socket = connect(port, '127.0.0.1');
      sockets.add(socket);
      const ask = (): unknown => socket.write('GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.once('connect', ask);
      socket.on('data', (bytes: Buffer) => {
        if (!bytes.includes('HTTP/1.1 ')) return;
        answers++;
        ask();
      });
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        setTimeout(begin, 20);
      });
    };
    for (let i = 0; i < FLOODERS; i++) begin();
    return {
      answers: () => answers,
      stop: () => {
        stopped = true;
        for (const socket of sockets) socket.destroy();
      },
    };
  }

  it('is answered at a bounded rate, and costs no caller of the data plane anything', async () => {
    const quiet: number[] = [];
    for (let i = 0; i < ASKED; i++) quiet.push((await scene.ask(i % 2 === 0 ? 'rest' : 'grpc', 'http')).tookMs);
    const attack = flood(Number(new URL(scene.gateway.adminUrl).port));
    const startedMs = performance.now();
    const flooded: number[] = [];
    for (let i = 0; i < ASKED || performance.now() - startedMs < 2_000; i++) {
      const told = await scene.ask(i % 2 === 0 ? 'rest' : 'grpc', 'http');
      expect(told.code).toBe('OK');
      flooded.push(told.tookMs);
    }
    const elapsedS = (performance.now() - startedMs) / 1000;
    attack.stop();
    const answers = attack.answers();
    // What the rate allows, and one late refusal a second on each connection.
    expect(answers).toBeLessThan(5 * (PER_SECOND + MAX_CONNECTIONS) * (1 + elapsedS));
    expect(at99(flooded)).toBeLessThan(5 * at99(quiet) + 100);
  });

  it('leaves the operator with the token served after it', async () => {
    expect((await admin<PlanView>(scene.gateway, 'GET', 'plans/http')).model).toBe('http');
    // Strangers are answered again as their share fills up.
    await eventually('a scrape is answered', async () => {
      const response = await fetch(`${scene.gateway.adminUrl}/metrics`);
      return response.ok && !/^sluice_requests_in_flight\{.*\} [1-9]/m.test(await response.text());
    });
  });
});

const at99 = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.99)]!;

describe('an audit record that cannot be written', () => {
  it('has the change refused, so that nothing changes unrecorded', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'sluice-audit-'));
    const file = join(dir, 'audit.jsonl');
    writeFileSync(file, 'written by another hand\n');
    const scene = await FaultScene.start({ canary: true, config: { audit: { file } } });
    const before = await admin<PlanView>(scene.gateway, 'GET', 'plans/http');
    const change = { expectedRevision: before.revision, weightsBp: { v1: 10 }, reason: 'test' };
    await expect(admin(scene.gateway, 'PUT', 'plans/http/weights', change)).rejects.toThrow(/503.*audit record/);
    await expect(admin(scene.gateway, 'POST', 'models/http/variants/v1/unload', { force: true })).rejects.toThrow(/503/);
    await expect(admin(scene.gateway, 'POST', 'cache/purge', { model: '' })).rejects.toThrow(/503/);
    expect(await admin<PlanView>(scene.gateway, 'GET', 'plans/http')).toEqual(before);
    expect((await scene.ask('rest', 'http')).variant).toBe('v1');
    expect(await scene.stop()).toBe(0);
    rmSync(dir, { recursive: true });
  });
});
