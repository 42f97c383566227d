/**
 * What the allocator keeps of buffers that were freed, instead of giving it back to the system. It does not say how much that is, so this is
 * what is resident beside the buffers now and was not when they were most, and at most what they have shrunk by since.
 */
export class KeptMemory {
  #mostBytes = 0;
  /** Resident beside buffers, when they were most: code, libraries, connections. */
  #besidesBytes = 0;

  /** `buffers` are the bytes of all buffers, `resident` is what the process holds outside the heap; answers how much of that is kept. */
  read(buffers: number, resident: number): number {
    const besides = resident - buffers;
    if (buffers > this.#mostBytes) {
      this.#mostBytes = buffers;
      // The larger, since of buffers that are new not all is resident yet.
      this.#besidesBytes = Math.max(this.#besidesBytes, besides);
    }
    return Math.max(0, Math.min(besides - this.#besidesBytes, this.#mostBytes - buffers));
  }
}
