/** The record of changes, as the control plane lets it be read. */

/** One line of the record. Each holds the hash of the line before it, so that none can be changed, taken out or put in unseen. */
export interface AuditEntry {
  readonly seq: number;
  readonly time: string;
  readonly actor: string;
  /** Role of the token that was used; empty where no request was made, as by a signal or a judge. */
  readonly role: string;
  readonly action: string;
  readonly model: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string;
  readonly requestId: string;
  readonly prev: string;
  readonly hash: string;
}

/** The last line: whoever keeps it elsewhere can tell later whether lines behind it were cut off. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
  /** Why nothing can be recorded, so that every change is refused; empty when it can. */
  readonly problem: string;
}

export interface AuditPage {
  /** Newest first. */
  readonly records: readonly AuditEntry[];
  /** Lines among them that are no records. */
  readonly unreadable: number;
  /** Where the records before these begin; null when there are none. */
  readonly next: number | null;
}

export interface AuditReader {
  readonly head: AuditHead;
  /** From the end, or from where another page has ended. Reads no more than a bounded part of the file. */
  page(limit: number, before: number | null): AuditPage;
}
