import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitest/config';
import { HUNG_MS, WORKERS } from './vitest.config.ts';

// The CLI's own tests, the program started by every version of Node that scripts/install-peers.sh brings:
// the oldest that keyaudit runs on, and each that is maintained.

const nodes = join(import.meta.dirname, 'node_modules/.cache/peers/nodes');

export default defineConfig({
  test: {
    maxWorkers: WORKERS,
    projects: readdirSync(nodes).map((version) => ({
      test: {
        name: `node ${version}`,
        include: ['test/cli/{start,main-job,key-life,reports,completion,reference}.test.ts'],
        testTimeout: HUNG_MS,
        hookTimeout: HUNG_MS,
        env: { KEYAUDIT_TEST_NODE: join(nodes, version, 'node_modules/.bin/node') },
      },
    })),
  },
});
