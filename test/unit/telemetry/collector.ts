import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as OTLP writes it in JSON. */
export interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
  readonly status: { readonly code?: number };
}

interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan['attributes'] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

/** An OTLP/HTTP collector on loopback that keeps what it is sent. */
export class Collector {
  readonly spans: OtlpSpan[] = [];
  readonly paths: string[] = [];
  resource: Record<string, unknown> = {};
  /** What it answers; anything but 200 takes nothing in. */
  status = 200;
  /** Takes requests and never answers. */
  hangs = false;
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on('data', (piece: Buffer) => pieces.push(piece));
      request.on('end', () => {
        this.paths.push(request.url!);
        if (this.hangs) return;
        if (this.status === 200) this.#take(JSON.parse(Buffer.concat(pieces).toString('utf8')));
        response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/v1/traces`;
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }

  named(name: string): OtlpSpan {
    const found = this.spans.find((span) => span.name === name);
    if (found === undefined) throw new Error(`No span "${name}" among ${this.spans.map((span) => span.name).join(', ')}.`);
    return found;
  }

  #take(request: OtlpRequest): void {
    for (const { resource, scopeSpans } of request.resourceSpans) {
      this.resource = attributesOf(resource);
      for (const { spans } of scopeSpans) this.spans.push(...spans);
    }
  }
}

export function attributesOf(span: Pick<OtlpSpan, 'attributes'>): Record<string, unknown> {
  const pairs = span.attributes.map(({ key, value }) => [key, Object.values(value)[0]] as const);
  return Object.fromEntries(pairs);
}
