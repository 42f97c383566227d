import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { onnxVariant, TENANTS } from '../support/configs.ts';
import { MALFORMED } from '../support/contracts/malformed-http.ts';
import { type GatewayUnderTest, metric, startGateway } from '../support/gateway-under-test.ts';
import { RawConnection } from '../support/raw-http.ts';

let gateway: GatewayUnderTest;

beforeAll(async () => {
  gateway = await startGateway({
    tenants: TENANTS,
    models: { digits: { variants: [onnxVariant('v1', 'stable', 'digits/v1.onnx')] } },
  });
});

afterAll(async () => {
  expect(await gateway.stop()).toBe(0);
});

describe('the running gateway', () => {
  it('refuses every malformed request with its verdict, and dispatches none of them nor what is smuggled behind', async () => {
    for (const { what, bytes, statuses } of MALFORMED) {
      const connection = await RawConnection.open(gateway.httpPort);
      connection.send(bytes);
      const answers = await connection.untilEnd();
      connection.destroy();
      expect(
        answers.map((answer) => answer.status),
        what,
      ).toHaveLength(1);
      expect(statuses, what).toContain(answers[0]!.status);
    }
    expect(MALFORMED.length).toBeGreaterThanOrEqual(20);
    expect(await metric(gateway, 'sluice_requests_total')).toBe(0);
    expect(await metric(gateway, 'sluice_http_rejected_total')).toBe(MALFORMED.length);
  });
});
