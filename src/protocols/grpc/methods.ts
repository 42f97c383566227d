/** The paths of the methods that are served over gRPC, and of those that are known and not offered. */

export const INFERENCE = '/inference.GRPCInferenceService/';

export const GrpcPath = {
  ServerLive: `${INFERENCE}ServerLive`,
  ServerReady: `${INFERENCE}ServerReady`,
  ServerMetadata: `${INFERENCE}ServerMetadata`,
  ModelReady: `${INFERENCE}ModelReady`,
  ModelMetadata: `${INFERENCE}ModelMetadata`,
  ModelConfig: `${INFERENCE}ModelConfig`,
  ModelStatistics: `${INFERENCE}ModelStatistics`,
  RepositoryIndex: `${INFERENCE}RepositoryIndex`,
  ModelInfer: `${INFERENCE}ModelInfer`,
  ModelStreamInfer: `${INFERENCE}ModelStreamInfer`,
  HealthCheck: '/grpc.health.v1.Health/Check',
  HealthWatch: '/grpc.health.v1.Health/Watch',
  Reflection: '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
  ReflectionAlpha: '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo',
} as const;

const BY_OPERATORS = 'models are loaded and unloaded by operators, over the admin API.';
const BY_BYTES = 'shared memory is not taken, send the bytes.';
const BY_CONFIG = 'traces and logs are set in the configuration.';

/** Method and what to do in its place. */
export const NOT_OFFERED: readonly (readonly [method: string, instead: string])[] = [
  ['RepositoryModelLoad', BY_OPERATORS],
  ['RepositoryModelUnload', BY_OPERATORS],
  ['SystemSharedMemoryStatus', BY_BYTES],
  ['SystemSharedMemoryRegister', BY_BYTES],
  ['SystemSharedMemoryUnregister', BY_BYTES],
  ['CudaSharedMemoryStatus', BY_BYTES],
  ['CudaSharedMemoryRegister', BY_BYTES],
  ['CudaSharedMemoryUnregister', BY_BYTES],
  ['TraceSetting', BY_CONFIG],
  ['LogSettings', BY_CONFIG],
];
