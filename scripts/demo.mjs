// The main job in a temporary folder: five keys made from five profiles on the embedded sandbox, then
// proved call by call. Nothing outside that folder is touched, and it is removed at the end.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

const keyaudit = fileURLToPath(new URL('../bin/keyaudit.js', import.meta.url));
const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-demo-'));
let failed = false;
try {
  for (const args of [
    ['provision', '--examples'],
    ['verify', '--examples'],
  ]) {
    process.stdout.write(`\n$ keyaudit ${args.join(' ')}\n`);
    // What was calibrated on this machine is not the demo's business.
    const env = { XDG_CONFIG_HOME: cwd };
    const run = await execa('node', [keyaudit, ...args], { cwd, env, stdio: 'inherit', reject: false });
    if (run.exitCode !== 0) {
      failed = true;
      break;
    }
  }
} finally {
  await rm(cwd, { recursive: true, force: true });
}
process.exitCode = failed ? 1 : 0;
