import { NAME_PATTERN } from '../../config/name-pattern.ts';
import type { Head, Match } from '../../core/exchange.ts';
import type { FaultKind } from '../../core/faults.ts';
import type { Offload } from '../../core/offload.ts';
import { matchAt, NO_PLACE, notOffered, type Place, post, question } from '../http-place.ts';
import { JsonBody } from '../json-body.ts';
import { BodyRules } from '../rest/body-rules.ts';
import type { InflateLimits } from '../rest/inflation.ts';
import { ModelListCodec } from '../rest/model-codecs.ts';
import { ExplainCodec } from './explain-codec.ts';
import { ModelStatusCodec, SignatureCodec } from './model-codecs.ts';
import type { PredictAside } from './predict-aside.ts';
import { PredictCodec } from './predict-codec.ts';
import { PredictReader } from './predict-reader.ts';

export interface V1Options {
  readonly maxJsonDepth: number;
  readonly maxJsonBytes: number;
  readonly inflate: InflateLimits;
  readonly offload: Offload;
}

const MODELS = '/v1/models';
const MODEL = '/v1/models/';
const VERSIONS = '/versions/';
const LABELS = '/labels/';
const PREDICT = ':predict';

/** The V1 protocol of TensorFlow Serving and KServe: `:predict`, `:explain`, and what their clients ask of models. */
export class V1Protocol {
  readonly #body: JsonBody;
  readonly #reader: PredictReader;
  readonly #aside: PredictAside;
  readonly #list = question(new ModelListCodec());
  /** By what follows model and version. `:predict` answers in the form it was asked in, so it has a codec for each request. */
  readonly #ofModel: ReadonlyMap<string, Place>;

  constructor(options: V1Options) {
    const { maxJsonDepth, maxJsonBytes, inflate } = options;
    this.#body = new JsonBody({ rules: new BodyRules(maxJsonBytes), inflate, anyType: true });
    this.#reader = new PredictReader(maxJsonDepth);
    this.#aside = { maxJsonDepth, offload: options.offload };
    const flaw = (head: Head): FaultKind | null => this.#body.flaw(head)?.kind ?? null;
    this.#ofModel = new Map([
      ['', question(new ModelStatusCodec())],
      ['/metadata', question(new SignatureCodec())],
      [PREDICT, post(new PredictCodec(this.#body, this.#reader, this.#aside), flaw)],
      [':explain', post(new ExplainCodec(this.#body, this.#reader, this.#aside), flaw)],
      [':classify', notOffered(['POST'], 'Use :predict.')],
      [':regress', notOffered(['POST'], 'Use :predict.')],
    ]);
  }

  match(head: Head): Match {
    const path = head.path;
    if (path === MODELS) return matchAt(this.#list, head, '', '');
    if (!path.startsWith(MODEL)) return NO_PLACE;
    const modelEnd = nameEnd(path, MODEL.length);
    const model = path.slice(MODEL.length, modelEnd);
    let version = '';
    let rest = modelEnd;
    const key = path.startsWith(VERSIONS, modelEnd) ? VERSIONS : path.startsWith(LABELS, modelEnd) ? LABELS : '';
    if (key !== '') {
      rest = nameEnd(path, modelEnd + key.length);
      version = path.slice(modelEnd + key.length, rest);
      if (!NAME_PATTERN.test(version)) return NO_PLACE;
    }
    const tail = path.slice(rest);
    const place = this.#ofModel.get(tail);
    if (place === undefined || !NAME_PATTERN.test(model)) return NO_PLACE;
    const match = matchAt(place, head, model, version);
    if (tail !== PREDICT || match.fault !== null) return match;
    return { ...match, codec: new PredictCodec(this.#body, this.#reader, this.#aside) };
  }
}

/** A name ends at the next slash, or at the colon before a verb. */
function nameEnd(path: string, from: number): number {
  for (let at = from; at < path.length; at++) {
    if (path[at] === '/' || path[at] === ':') return at;
  }
  return path.length;
}
