/** Who may use the control plane. */

/** A token of the admin port, as whoever looks it up knows it. */
export interface AdminHolder {
  /** As audit records name them. */
  readonly name: string;
  readonly role: string;
  /** SHA-256 of the whole token. */
  readonly sha256: Uint8Array;
  /** Wall clock; Infinity for one that does not expire. */
  readonly expiresMs: number;
}

/** Who asks for something now, as it stands on record beside what was changed. */
export interface AdminCaller {
  readonly actor: string;
  readonly role: string;
  readonly requestId: string;
}
