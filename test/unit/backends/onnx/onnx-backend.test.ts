import { type BackendFixture, backendContract } from '../../../support/contracts/backend-contract.ts';
import { affineModel } from '../../../support/onnx-models.ts';
import { floatsOf, fp32, requestOf, Scene } from './scene.ts';

const row = (n: number): number[] => Array.from({ length: 7 }, (_, i) => n * 10 + i);

function fixtureWith(threads: number, fields: Parameters<Scene['backend']>[1]): BackendFixture {
  const scene = new Scene({ threads });
  return {
    backend: scene.backend(affineModel(), fields),
    request: (n) => requestOf([fp32('x', [1, 7], row(n))]),
    mistake: (n, prediction) => {
      const found = floatsOf(prediction.outputs[1]!);
      const expected = row(n).map((value) => value * 2);
      return found.join() === expected.join() ? '' : `${found} where ${expected} was expected`;
    },
    misfit: () => requestOf([fp32('x', [1, 6], row(1).slice(1))]),
    lost: () => scene.backend(`${scene.folder}/none.onnx`),
    dispose: () => scene.close(),
  };
}

backendContract('OnnxBackend', () => fixtureWith(2, {}));
backendContract('OnnxBackend with batching', () => fixtureWith(1, { batching: { maxRows: 8, maxDelayUs: 0 } }));
