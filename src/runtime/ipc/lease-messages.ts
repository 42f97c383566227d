import type { PlaceAsk, PlaceGrant, TokenAsk, TokenGrant, TokenReport } from '../../core/limits.ts';
import type { CapId } from '../../core/units.ts';

/** What goes between a worker and the ledgers of rates and places, as the port of leases in core has it. */

export type LeaseQuestion = { readonly is: 'tokens'; readonly ask: TokenAsk } | { readonly is: 'places'; readonly ask: PlaceAsk };

/** From a worker. */
export type LeaseMessage =
  | { readonly is: 'lease-ask'; readonly id: number; readonly question: LeaseQuestion }
  | { readonly is: 'lease-report'; readonly report: TokenReport }
  | { readonly is: 'lease-give'; readonly cap: CapId; readonly places: number };

/** To a worker. */
export type LeaseAnswer =
  | { readonly is: 'lease-grant'; readonly id: number; readonly grant: TokenGrant | PlaceGrant }
  | { readonly is: 'lease-recall'; readonly cap: CapId; readonly places: number };
