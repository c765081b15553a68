import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const python = await findPeer('python', 'the samples and tests of the Python guide, with stripe-python', [
  join(PEERS, 'python/bin'),
]);
const guide = fileURLToPath(new URL('guide_test.py', import.meta.url));

describe.skipIf(python.missing)('stripe-python', () => {
  it('runs the samples and tests of the guide with the keys of the five profiles', async () => {
    const cwd = await temporaryFolder();
    const made = await runCli(['provision', '--examples'], { cwd });
    expect(made.exitCode, made.stderr).toBe(0);
    const keys = Object.fromEntries(
      (await readFile(join(cwd, '.keyaudit/keys.env'), 'utf8'))
        .split('\n')
        .filter((line) => /^\w+=/.test(line))
        .map((line) => [
          line.slice(0, line.indexOf('=')),
          line.slice(line.indexOf('=') + 1).replaceAll('"', ''),
        ]),
    );
    const server = await startSandboxServer(cwd, ['--set', 'expiryDelayMs=0']);
    const expired = await server.makeKey(['charge_read']);
    await server.expireKey(expired.id);
    const run = await execa(
      python.file,
      ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', '--color=no', guide],
      {
        cwd,
        env: {
          ...keys,
          PYTHONDONTWRITEBYTECODE: '1',
          KEYAUDIT_TEST_API_BASE: server.url,
          KEYAUDIT_TEST_SECRET_KEY: server.secretKey,
          KEYAUDIT_TEST_EXPIRED_KEY: expired.token,
        },
        extendEnv: false,
        reject: false,
      },
    );
    expect(run.exitCode, run.stdout + run.stderr).toBe(0);
    expect(Number(/(\d+) passed/.exec(run.stdout)?.[1])).toBeGreaterThan(15);
    expect(run.stdout).not.toMatch(/skipped|failed/);
  });
});
