import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { grpcListen } from '../../../src/config/listen-schema.ts';
import { Reply } from '../../../src/core/exchange.ts';
import { GrpcListener } from '../../../src/gateway/listeners/grpc-listener.ts';
import { LocalByteBudget } from '../../../src/limits/byte-budget.ts';
import type { GrpcEngine } from '../../../src/wire/grpc/open-channel.ts';
import { encodeHealthStatus, readHealthStatus, ServingStatus } from '../../../src/wire/oip/health-messages.ts';
import { type OpenDoor, openDoor } from '../open-door.ts';
import { RecordingFront } from '../recording-front.ts';
import { type StreamCall, StreamCaller } from '../stream-caller.ts';

const PATH = '/grpc.health.v1.Health/Watch';

const closers: (() => unknown)[] = [];
const fronts: RecordingFront[] = [];

/** The engine of the test that runs. */
let engineUnderTest: GrpcEngine = 'grpc-js';

/** A listener whose front answers a watch as the gateway does. */
class Scene {
  isReady = true;
  first: ServingStatus | null = null;
  readonly front = new RecordingFront();
  caller!: StreamCaller;
  door!: OpenDoor;

  async start(config: Partial<ReturnType<typeof grpcListen.parse>> = {}, bodyTimeoutMs = 10_000): Promise<this> {
    const { front } = this;
    front.onFail = (visit, kind) => {
      const reply = new Reply();
      reply.grpc = kind.grpc;
      reply.message = kind.code;
      visit.exit.send(reply);
    };
    front.onComplete = (visit) => {
      const reply = new Reply();
      reply.pieces = [encodeHealthStatus(this.first ?? (this.isReady ? ServingStatus.Serving : ServingStatus.NotServing))];
      visit.exit.send(reply);
    };
    const listener = new GrpcListener(
      grpcListen.parse({ engine: engineUnderTest, ...config }),
      { maxBodyBytes: 1_000_000, bytes: new LocalByteBudget(1_000), tls: null, isReady: () => this.isReady, bodyTimeoutMs },
      front,
    );
    this.door = await openDoor(listener);
    const { port } = this.door;
    fronts.push(front);
    closers.push(() => this.door.drain(0));
    this.caller = new StreamCaller(`127.0.0.1:${port}`);
    closers.push(() => this.caller.close());
    return this;
  }

  watch(service = 'x'): StreamCall {
    const call = this.caller.open(PATH);
    call.write(Buffer.concat([Buffer.of(0x0a, service.length), Buffer.from(service)]));
    call.end();
    return call;
  }
}

const told = (call: StreamCall): number[] => call.received.map(readHealthStatus);

/** What the gRPC face does, whichever engine speaks HTTP/2. */
export function grpcHealthWatchContract(engine: GrpcEngine): void {
  describe(`health watches over ${engine}`, () => {
    beforeEach(() => {
      engineUnderTest = engine;
    });

    afterEach(async () => {
      for (const close of closers.splice(0).reverse()) await close();
      for (const front of fronts.splice(0)) {
        await front.heard('closed', front.visits.length);
        expect(front.violations).toEqual([]);
      }
    });

    describe('a watch of health', () => {
      it('is one request that is answered and over, and then news as it comes', async () => {
        const scene = await new Scene().start();
        const call = scene.watch();
        await call.messages(1);
        await scene.front.heard('closed');
        expect(scene.front.only.events).toEqual(['open', 'complete', 'closed']);
        scene.isReady = false;
        await call.messages(2);
        scene.isReady = true;
        await call.messages(3);
        expect(told(call)).toEqual([1, 2, 1]);
        call.call.cancel();
        await call.status;
        expect(scene.front.visits).toHaveLength(1);
      });

      it('hears that the gateway goes before the call ends, as soon as it drains', async () => {
        const scene = await new Scene().start();
        const calls = [scene.watch(), scene.watch()];
        await Promise.all(calls.map((call) => call.messages(1)));
        const drained = scene.door.drain(10_000);
        for (const call of calls) {
          expect((await call.status).code).toBe(status.UNAVAILABLE);
          expect(told(call)).toEqual([1, 2]);
        }
        await drained;
      });

      it('stays without news for a service that nobody knows', async () => {
        const scene = await new Scene().start();
        scene.first = ServingStatus.ServiceUnknown;
        const call = scene.watch();
        await call.messages(1);
        scene.isReady = false;
        await sleep(350);
        expect(told(call)).toEqual([3]);
        expect(call.ended).toBe(false);
        call.call.cancel();
        await call.status;
      });

      it('is refused beyond the limit', async () => {
        const scene = await new Scene().start({ maxHealthWatches: 1 });
        const first = scene.watch();
        await first.messages(1);
        expect(await scene.watch().status).toMatchObject({ code: status.UNAVAILABLE, details: 'OVERLOADED' });
        first.call.cancel();
        await first.status;
      });

      it.each([
        ['no message', []],
        ['two messages', ['', '']],
      ])('is refused with %s', async (_what, messages) => {
        const scene = await new Scene().start();
        const call = scene.caller.open(PATH);
        scene.front.wantsBody = false;
        scene.front.onOpen = (visit) => scene.front.onComplete(visit);
        for (const message of messages) call.write(message);
        call.end();
        expect((await call.status).code).toBe(status.INVALID_ARGUMENT);
      });

      it('takes no more than a question is long, of a stranger', async () => {
        const scene = await new Scene().start();
        const call = scene.caller.open(PATH);
        call.write(Buffer.alloc(900));
        await call.messages(1);
        call.call.cancel();
        await call.status;
        const large = scene.caller.open(PATH);
        large.write(Buffer.alloc(900_000));
        expect((await large.status).code).toBe(status.RESOURCE_EXHAUSTED);
        expect(scene.front.visits).toHaveLength(1);
      });

      it('does not wait for its message for ever', async () => {
        const scene = await new Scene().start({}, 40);
        expect((await scene.caller.open(PATH).status).code).toBe(status.DEADLINE_EXCEEDED);
      });
    });
  });
}
