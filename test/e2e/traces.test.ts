import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { inferRest } from '../support/clients.ts';
import { grpcVariant, TENANTS } from '../support/configs.ts';
import { startGateway } from '../support/gateway-under-test.ts';
import { startOipServer } from '../support/oip-server.ts';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
}

interface Export {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const CALLER = 'b7ad6b7169203331';
const CLIENT_KIND = 3;

it("exports a request's spans over OTLP, below the caller's span and above the backend's", async () => {
  const spans: Span[] = [];
  const collector = createServer((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Export;
      spans.push(...body.resourceSpans.flatMap((resource) => resource.scopeSpans.flatMap((scope) => scope.spans)));
      response.setHeader('content-type', 'application/json').end('{}');
    });
  });
  await new Promise<void>((done) => {
    collector.listen(0, '127.0.0.1', done);
  });
  const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
  const specs = [{ name: 'x', datatype: 'FP32' as const, shape: [-1] }];
  const server = await startOipServer({ models: [{ name: 'm', inputs: specs, outputs: specs }] });
  const gateway = await startGateway({
    telemetry: { otlp: { endpoint, sampleRatio: 0 } },
    tenants: TENANTS,
    models: { m: { variants: [grpcVariant('v1', 'stable', server.address)] } },
  });
  const inputs = [{ name: 'x', datatype: 'FP32', shape: [1], data: [1] }];
  const key = gateway.keys['alpha']!;
  const headers = { traceparent: `00-${TRACE}-${CALLER}-01`, tracestate: 'congo=t61rcWkgMzE' };
  expect((await inferRest(gateway, { key, model: 'm', inputs, headers })).status).toBe(200);
  expect(await gateway.stop()).toBe(0);
  collector.close();
  await server.close();
  const root = spans.find((span) => span.parentSpanId === CALLER)!;
  expect(spans.every((span) => span.traceId === TRACE)).toBe(true);
  const call = spans.find((span) => span.kind === CLIENT_KIND)!;
  expect(call.parentSpanId).toBe(root.spanId);
  expect(server.calls[0]!.metadata['tracestate']).toBe('congo=t61rcWkgMzE');
  expect(server.calls[0]!.metadata['traceparent']).toBe(`00-${TRACE}-${call.spanId}-01`);
});
