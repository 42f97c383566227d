import type { Front, Head } from '../../core/exchange.ts';

/** A front for connections that outlive their requests. */
export interface StreamFront extends Front {
  /** Whether the caller of this head is known now. Asked once, before a stream is taken; each of its messages is identified anew. */
  knows(head: Head): boolean;
}
