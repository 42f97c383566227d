import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, installed, keepPeer, PEERS, type PeerServer } from './peer-process.ts';

const PYTHON = installed('mlserver', 'bin', 'python');
const SKLEARN_MODELS = ['digits8x8', 'digits8x8-both'];

/** MLServer with the models of `mlserver/`: scikit-learn's trained on the spot, and a custom runtime. */
export async function startMlServer(): Promise<PeerServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-mlserver-'));
  cpSync(join(PEERS, 'mlserver'), dir, { recursive: true });
  const folders = SKLEARN_MODELS.map((name) => join(dir, name));
  const { status, stderr } = spawnSync(PYTHON, [join(dir, 'train.py'), ...folders], { encoding: 'utf8', timeout: 60_000 });
  if (status !== 0) throw new Error(`Training for MLServer ended with ${status}:\n${stderr}`);
  const [http, grpc, metrics] = await freePorts(3);
  const launch = {
    command: PYTHON,
    args: [installed('mlserver', 'bin', 'mlserver'), 'start', dir],
    env: {
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_HTTP_PORT: String(http),
      MLSERVER_GRPC_PORT: String(grpc),
      MLSERVER_METRICS_PORT: String(metrics),
      MLSERVER_METRICS_DIR: dir,
      MLSERVER_PARALLEL_WORKERS: '0',
      MLSERVER_DEBUG: 'false',
    },
    readyUrl: `http://127.0.0.1:${http}/v2/health/ready`,
  };
  return keepPeer(launch, grpc!, () => rmSync(dir, { recursive: true, force: true }));
}
