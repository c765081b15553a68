import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Tests of the CLI wait for its processes much of the time, so one worker more than cores keeps them busy.
    maxWorkers: availableParallelism() + 1,
  },
});
