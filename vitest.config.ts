import { defineConfig } from 'vitest/config';

/** Tests end to end that speak gRPC to the gateway. */
const GRPC_END_TO_END = [
  'predict',
  'faces',
  'grpc-services',
  'grpc-stream',
  'decoupled',
  'disconnect',
  'refusals',
  'sequences',
  'shutdown',
  'tls',
].map((name) => `test/e2e/${name}.test.ts`);

// The runner would leave one core free, which on a small machine is half of them; tests end to end mostly wait.
const UNIT_WORKERS = '100%';
const E2E_WORKERS = 2;

/**
 * Six projects: `unit` runs in this process with fake clocks; `e2e` starts real gateway processes on real sockets; `faults` breaks what
 * is around them; `peers` adds the clients and servers of others, which it installs; `wire` holds the HTTP/2 engine of our own to its rules
 * and against others; `reference` runs what there is end to end over gRPC on @grpc/grpc-js, which stays the reference.
 */
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts'], testTimeout: 20_000, maxWorkers: UNIT_WORKERS } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: E2E_WORKERS,
        },
      },
      {
        test: {
          name: 'faults',
          include: ['test/faults/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'wire',
          include: ['test/wire/**/*.test.ts'],
          globalSetup: ['test/wire/install.ts'],
          testTimeout: 120_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'reference',
          include: GRPC_END_TO_END,
          env: { SLUICE_TEST_GRPC_ENGINE: 'grpc-js' },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'peers',
          include: ['test/peers/**/*.test.ts'],
          globalSetup: ['test/peers/install.ts'],
          testTimeout: 60_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
