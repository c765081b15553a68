import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/**
 * Tests that need a program which nobody here wrote (`test/peers/`), or start hundreds of processes:
 * `npm run test:peers`. All others: `npm test`.
 */
const PEERS = [
  'test/{peers,kill,leak}/**/*.test.ts',
  'test/fuzz/requests.test.ts',
  'test/security/{action,output,switches-and-bounds,whose-key,working-folder}.test.ts',
  'test/{action,docs}.test.ts',
  'test/cli/record.test.ts',
  'test/cli/record-ways.test.ts',
];

/** How long a test may take before it is thought to hang: no measure of speed, on no machine. */
export const HUNG_MS = 300_000;

/** Tests of the CLI wait for its processes and servers most of the time; two workers more than cores keep these busy. */
export const WORKERS = availableParallelism() + 2;

const limits = { testTimeout: HUNG_MS, hookTimeout: HUNG_MS };

export default defineConfig({
  test: {
    maxWorkers: WORKERS,
    projects: [
      {
        test: {
          ...limits,
          name: 'tests',
          // One module graph for all files of a worker: reading it anew for each costs more than most of their tests.
          isolate: false,
          include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
          exclude: PEERS,
        },
      },
      {
        test: {
          ...limits,
          name: 'peers',
          include: [...PEERS, 'test/fuzz/{own-files,key-api-answers}.test.ts'],
          // Few rounds in `npm test`, many here.
          env: { KEYAUDIT_FUZZ_FILES: '200', KEYAUDIT_FUZZ_ANSWERS: '60' },
        },
      },
    ],
  },
});
