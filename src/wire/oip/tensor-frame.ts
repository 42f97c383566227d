import type { Datatype } from '../../core/datatype.ts';
import type { ParameterMap } from './parameter-map.ts';

const NO_SHAPE: readonly number[] = Object.freeze([]);

/** A tensor as its message states it, while its contents still lie where they came in. */
export class TensorFrame {
  name = '';
  datatype: Datatype = 'BYTES';
  shape: readonly number[] = NO_SHAPE;
  parameters: ParameterMap | null = null;
  /** The typed contents, unread; null when there are none. */
  contents: Uint8Array | null = null;
}
