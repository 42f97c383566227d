import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A CloudEvent of a rollout, as far as tests look at it. */
export interface ReceivedEvent {
  readonly id: string;
  readonly type: string;
  readonly specversion: string;
  readonly data: {
    readonly model: string;
    readonly from: string;
    readonly to: string;
    readonly step: number;
    readonly actor: string;
    readonly reason: string;
  };
}

export interface WebhookReceiver {
  readonly url: string;
  readonly events: readonly ReceivedEvent[];
  /** States that a model's rollouts went to, in order. */
  statesOf(model: string): readonly string[];
  close(): Promise<void>;
}

/** Takes every event that it is sent. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const events: ReceivedEvent[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request as AsyncIterable<Buffer>) body += piece.toString();
    events.push(JSON.parse(body) as ReceivedEvent);
    response.writeHead(204).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    events,
    statesOf: (model) => events.filter(({ data }) => data.model === model).map(({ data }) => data.to),
    close: () => {
      server.closeAllConnections();
      return new Promise((done) => server.close(() => done()));
    },
  };
}
