import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Tests of the CLI wait for its processes, so a worker for each core keeps them busy.
    maxWorkers: Math.max(2, availableParallelism()),
  },
});
