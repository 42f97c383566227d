import type { Offload, Offloaded, Task } from '../../src/core/offload.ts';

/** Everything in place, however large. */
export const IN_PLACE: Offload = {
  inlineBytes: Number.POSITIVE_INFINITY,
  run: () => Promise.reject(new Error('expected nothing to be done aside')),
};

/** Does aside, in this very thread and a tick later, what is larger than so many bytes. What travels is cloned as it is for a thread. */
export class AsideOffload implements Offload {
  readonly inlineBytes: number;
  /** Names of the tasks that were run. */
  readonly ran: string[] = [];

  constructor(inlineBytes: number) {
    this.inlineBytes = inlineBytes;
  }

  async run<In, Out>(task: Task<In, Out>, input: In, bytes: readonly Uint8Array[]): Promise<Offloaded<Out>> {
    this.ran.push(task.name);
    const sent = structuredClone({ input, bytes: bytes.map((piece) => new Uint8Array(piece)) });
    return structuredClone(task.run(sent.input, sent.bytes));
  }
}
