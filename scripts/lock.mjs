// Writes keyaudit.lock.yaml anew: makes the keys of the five profiles on the sandbox, in a temporary
// folder, and locks what they were verified to do. `--check` writes nothing and fails when it is stale.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const cwd = mkdtempSync(join(tmpdir(), 'keyaudit-lock-'));
const keyaudit = (...args) => {
  const { status } = spawnSync(process.execPath, [join(root, 'bin', 'keyaudit.js'), ...args], {
    cwd,
    stdio: ['ignore', 'inherit', 'inherit'],
    // Nothing of this user's, such as a calibration, may have a say.
    env: { PATH: process.env.PATH, HOME: cwd, USERPROFILE: cwd },
  });
  if (status !== 0) process.exitCode = status ?? 1;
  return status === 0;
};
try {
  keyaudit('provision', '--examples', '--quiet') &&
    keyaudit('lock', '--examples', '--lock', join(root, 'keyaudit.lock.yaml'), ...process.argv.slice(2));
} finally {
  rmSync(cwd, { recursive: true, force: true });
}
