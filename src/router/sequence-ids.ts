import { createHmac } from 'node:crypto';
import type { Params } from '../core/inference.ts';

const PARAMETER = 'sequence_id';
/** A name ends before its separator: names of tenants and models hold no slash. */
const SEPARATOR = '/';
const LOW_63_BITS = (1n << 63n) - 1n;

/**
 * Gives every sequence a name of its own towards backends: a server joins whatever has the same `sequence_id`, and callers choose theirs.
 * Who does not know the secret can neither find another tenant's name nor aim for it.
 */
export class SequenceIds {
  readonly #secret: Buffer;

  /** Replicas with the same secret give the same names. */
  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** `params` with the id that the backend sees: text for text, and for a number one of 1 to 2^63 - 1, which every server can hold. */
  rewritten(params: Params, tenant: string, model: string): Params {
    const id = params.get(PARAMETER);
    if (id === undefined) return params;
    const sent = new Map(params);
    const digest = this.#digest(tenant, model, typeof id === 'string' ? 's' : 'n', String(id));
    sent.set(PARAMETER, typeof id === 'string' ? digest.toString('base64url') : positiveOf(digest));
    return sent;
  }

  #digest(tenant: string, model: string, kind: 's' | 'n', id: string): Buffer {
    // The kind keeps 7 and "7" apart, as servers do.
    const name = tenant + SEPARATOR + model + SEPARATOR + kind + SEPARATOR + id;
    return createHmac('sha256', this.#secret).update(name, 'utf16le').digest();
  }
}

/** What a sequence sticks to a variant by. Free of the secret, so that replicas agree without sharing one, and of its own for each tenant. */
export function sequenceKey(tenant: string, model: string, id: string): string {
  return tenant + SEPARATOR + model + SEPARATOR + id;
}

/** 0 means that there is no sequence. */
function positiveOf(digest: Buffer): bigint {
  const value = digest.readBigUInt64BE(0) & LOW_63_BITS;
  return value === 0n ? 1n : value;
}
