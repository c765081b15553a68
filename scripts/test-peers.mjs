// npm run test:peers: the tests against programs that nobody here wrote, then the CLI's own under each Node.
// Both run, whatever the first says.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const vitest = (...args) =>
  spawnSync('npx', ['vitest', 'run', ...args, ...process.argv.slice(2)], { stdio: 'inherit' }).status ?? 1;

const peers = vitest('--project', 'peers');
const isInstalled = existsSync('node_modules/.cache/peers/nodes');
if (!isInstalled) {
  console.warn(
    '\n  LEFT OUT: the CLI under other versions of Node. scripts/install-peers.sh installs them.\n',
  );
}
const nodes = isInstalled ? vitest('--config', 'vitest.nodes.config.ts') : process.env.CI ? 1 : 0;
process.exitCode = peers || nodes;
