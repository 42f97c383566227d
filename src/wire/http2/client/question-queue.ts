import { SendQueue } from '../send-queue.ts';
import type { H2Call } from './h2-call.ts';

/** Sends questions, each of them the only one of its stream; deadlines end those that wait too long. */
export class QuestionQueue extends SendQueue<H2Call> {
  protected isLast(): boolean {
    return true;
  }

  protected stalled(): void {}

  protected written(): void {}
}
