import type { Datatype } from '../../core/datatype.ts';
import type { ParameterMap } from './parameter-map.ts';

/** A tensor as its message states it, while its contents still lie where they came in. */
export class TensorFrame {
  name = '';
  datatype: Datatype = 'BYTES';
  readonly shape: number[] = [];
  parameters: ParameterMap | null = null;
  /** The typed contents, unread; null when there are none. */
  contents: Uint8Array | null = null;
}
