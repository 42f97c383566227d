import { EventEmitter } from 'node:events';
import type { StartThread, ThreadPort } from '../../../../src/gateway/offload/thread-file.ts';
import type { FromThread, ToThread } from '../../../../src/gateway/offload/thread-messages.ts';

/** A thread that does what a test says, when it says so. */
export class FakeThread extends EventEmitter implements ThreadPort {
  readonly tasks: ToThread[] = [];
  terminated = false;

  postMessage(message: ToThread): void {
    this.tasks.push(message);
  }

  answer(message: FromThread): void {
    this.emit('message', message);
  }

  terminate(): Promise<number> {
    this.terminated = true;
    this.emit('exit', 1);
    return Promise.resolve(1);
  }

  unref(): void {}
}

export class FakeThreads {
  readonly started: FakeThread[] = [];
  readonly start: StartThread = () => {
    const thread = new FakeThread();
    this.started.push(thread);
    return thread;
  };
}
