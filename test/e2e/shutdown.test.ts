import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { GrpcCaller, inferRest } from '../support/clients.ts';
import { grpcVariant, onnxVariant, TENANTS } from '../support/configs.ts';
import { eventually, runCli, startGateway } from '../support/gateway-under-test.ts';
import { answerAfter, answerOutputs, startOipServer } from '../support/oip-server.ts';

const MODEL = {
  name: 'm',
  inputs: [{ name: 'x', datatype: 'FP32' as const, shape: [-1, 2] }],
  outputs: [{ name: 'y', datatype: 'FP32' as const, shape: [-1, 2] }],
};

describe('SIGTERM', () => {
  it('under load loses no request that was sent before it, and ends with 0', async () => {
    let served = 0;
    const server = await startOipServer({
      models: [MODEL],
      onInfer: async () => {
        const answer = answerOutputs([{ name: 'y', datatype: 'FP32', shape: [1, 2], data: Buffer.alloc(8) }]);
        const late = await answerAfter(30, answer);
        served++;
        return late;
      },
    });
    const gateway = await startGateway({
      tenants: TENANTS,
      models: { m: { variants: [grpcVariant('v1', 'stable', server.address)] } },
    });
    const grpc = new GrpcCaller(gateway.grpcAddress, gateway.keys['alpha']!);
    const rest = (): Promise<number> =>
      inferRest(gateway, {
        key: gateway.keys['alpha']!,
        model: 'm',
        inputs: [{ name: 'x', datatype: 'FP32', shape: [1, 2], data: [1, 2] }],
      }).then((answer) => answer.status);
    const overGrpc = (): Promise<number> =>
      grpc.infer('m', [{ name: 'x', datatype: 'FP32', shape: [1, 2], raw: Buffer.alloc(8) }]).then((answer) => answer.code);
    await Promise.all([rest(), overGrpc()]);
    const before = server.callCount;
    const inFlight = [...Array.from({ length: 40 }, rest), ...Array.from({ length: 40 }, overGrpc)];
    await eventually('all at the backend', () => server.callCount === before + 80);
    const ended = gateway.stop();
    const answers = await Promise.all(inFlight);
    expect(answers.slice(0, 40)).toEqual(new Array(40).fill(200));
    expect(answers.slice(40)).toEqual(new Array(40).fill(0));
    expect(await ended).toBe(0);
    expect(served).toBe(before + 80);
    await expect(rest()).rejects.toThrow();
    grpc.close();
    await server.close();
  });
});

describe('the start', () => {
  it('keeps generated secrets in a file that only its owner can read, and removes it at the end', async () => {
    const gateway = await startGateway({
      tenants: TENANTS,
      models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] } },
    });
    const file = join(gateway.dir, 'state', 'secrets.json');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await gateway.stop()).toBe(0);
    expect(() => statSync(file)).toThrow();
  });

  it('is refused with 78 and every problem when the config is wrong', async () => {
    const wrong = startGateway({
      listen: { http: { host: '0.0.0.0' } },
      tenants: TENANTS,
      models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] } },
    });
    await expect(wrong).rejects.toThrow(/ended with 78[\s\S]*listen\.admin\.token: a generated secret works on loopback only/);
    const missing = startGateway({
      tenants: TENANTS,
      models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/none.onnx')] } },
    });
    await expect(missing).rejects.toThrow(/ended with 78[\s\S]*digits[\s\S]*none\.onnx/);
  });

  it('says which port is taken', async () => {
    const first = await startGateway({
      tenants: TENANTS,
      models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] } },
    });
    const second = startGateway({
      listen: { http: { port: first.httpPort } },
      tenants: TENANTS,
      models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] } },
    });
    await expect(second).rejects.toThrow(new RegExp(`${first.httpPort}`));
    await first.stop();
  });
});

describe('the CLI', () => {
  it('checks configs, makes keys and explains itself', async () => {
    expect(await runCli(['check', 'config/demo.yaml'])).toMatchObject({ code: 0, out: expect.stringContaining('is valid') });
    expect(await runCli(['check', 'package.json'])).toMatchObject({ code: 78, err: expect.stringContaining('unknown key') });
    const made = await runCli(['keys', 'new', '--json']);
    expect(JSON.parse(made.out)).toMatchObject({
      key: expect.stringMatching(/^sl_live_[a-z0-9]{8}_/),
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(await runCli(['frobnicate'])).toMatchObject({ code: 64, err: expect.stringContaining('expected one of') });
    expect(await runCli(['help'])).toMatchObject({ code: 0, out: expect.stringContaining('sluice serve <config>') });
  });
});
