import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts, installed, keepPeer, PEERS, type PeerServer } from './peer-process.ts';

const SHARED_MEMORY = '/dev/shm';

/** A Triton server on the CPU with the models of `triton/`, from the binary that PyTriton's wheel bundles. */
export async function startTritonServer(): Promise<PeerServer> {
  const dir = mkdtempSync(join(tmpdir(), 'sluice-triton-'));
  cpSync(join(PEERS, 'triton'), join(dir, 'models'), { recursive: true });
  const python = pythonOf(installed('triton', 'bin', 'python'));
  const bundle = join(python.packages, 'pytriton', 'tritonserver');
  linkPythonBackend(bundle, python.version, join(dir, 'backends'));
  const [http, grpc, metrics] = await freePorts(3);
  const region = `sluice-peers-${http}-`;
  const launch = {
    command: join(bundle, 'bin', 'tritonserver'),
    args: [
      `--model-repository=${join(dir, 'models')}`,
      `--backend-directory=${join(dir, 'backends')}`,
      `--backend-config=python,shm-region-prefix-name=${region}`,
      '--http-address=127.0.0.1',
      '--grpc-address=127.0.0.1',
      '--metrics-address=127.0.0.1',
      `--http-port=${http}`,
      `--grpc-port=${grpc}`,
      `--metrics-port=${metrics}`,
    ],
    env: {
      PATH: `${installed('triton', 'bin')}:${process.env['PATH'] ?? ''}`,
      // The backend embeds an interpreter, which must be the one whose standard library it finds.
      LD_LIBRARY_PATH: `${python.libraries}:${join(python.packages, 'nvidia_pytriton.libs')}`,
      PYTHONPATH: python.packages,
      PYTHONDONTWRITEBYTECODE: '1',
    },
    readyUrl: `http://127.0.0.1:${http}/v2/health/ready`,
  };
  return keepPeer(launch, grpc!, () => {
    rmSync(dir, { recursive: true, force: true });
    removeRegions(region);
  });
}

interface PythonPlace {
  readonly version: string;
  readonly packages: string;
  readonly libraries: string;
}

const TELL_PLACE = `
import json, sysconfig
place = {"version": sysconfig.get_python_version(), "packages": sysconfig.get_path("platlib"), "libraries": sysconfig.get_config_var("LIBDIR")}
print(json.dumps(place))`;

function pythonOf(python: string): PythonPlace {
  const { status, stdout, stderr } = spawnSync(python, ['-c', TELL_PLACE], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${python} ended with ${status}:\n${stderr}`);
  return JSON.parse(stdout) as PythonPlace;
}

/** The bundle keeps the backend and the interpreters for it apart, and PyTriton puts them together; so does this. */
function linkPythonBackend(bundle: string, version: string, backends: string): void {
  const to = join(backends, 'python');
  mkdirSync(to, { recursive: true });
  for (const from of [join(bundle, 'backends', 'python'), join(bundle, 'python_backend_stubs', version)]) {
    for (const file of readdirSync(from)) if (!file.startsWith('_')) symlinkSync(join(from, file), join(to, file));
  }
}

/** A Triton that is killed leaves the memory that it shares with its models. */
function removeRegions(prefix: string): void {
  for (const file of readdirSync(SHARED_MEMORY)) if (file.startsWith(prefix)) rmSync(join(SHARED_MEMORY, file), { force: true });
}
