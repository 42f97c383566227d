import type { Operation } from './control-plane.ts';

/** The config in force, as the control plane shows and renews it. */

export interface ConfigView {
  readonly file: string;
  readonly generation: number;
  /** Without anything secret. */
  readonly config: unknown;
}

export interface Reload extends Operation {
  readonly dryRun: boolean;
}

export type ReloadResult =
  | { readonly is: 'applied'; readonly generation: number; readonly changed: readonly string[] }
  | { readonly is: 'preview'; readonly changed: readonly string[] }
  /** The config in force stays. */
  | { readonly is: 'refused'; readonly problem: string }
  /** Another one is under way. */
  | { readonly is: 'busy' }
  | { readonly is: 'unaudited'; readonly problem: string };

export interface ConfigControl {
  shown(): ConfigView;
  /** Takes over the file as it is now, with certificates and secrets; all of it or nothing. */
  reload(reload: Reload): Promise<ReloadResult>;
}
