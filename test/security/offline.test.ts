import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { KEYAUDIT, NODE, temporaryFolder } from '../support/run-cli.ts';

// What needs no server opens no socket, starts no program and reads no key, whatever lies in the working folder.
// `init` asks a sandbox for the first entry of the lock file: one that listens nowhere.

const GUARD = fileURLToPath(new URL('../support/offline-guard.mjs', import.meta.url));

async function guarded(args: readonly string[], cwd: string) {
  return execa(NODE, ['--import', GUARD, KEYAUDIT, ...args], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      NO_COLOR: '1',
      STRIPE_SECRET_KEY: 'sk_test_neverToBeRead0000000',
      STRIPE_ANALYTICS_KEY: 'rk_test_neverToBeRead0000000',
      KEYAUDIT_TARGET: 'stripe',
    },
    extendEnv: false,
    reject: false,
    input: '',
  });
}

describe('offline', () => {
  it.each([
    [['plan', 'analytics']],
    [['plan', 'analytics', '--format', 'json']],
    [['permissions', 'GET /v1/charges']],
    [['permissions', '--all']],
    [['profiles', 'list']],
    [['profiles', 'show', 'refund-agent']],
    [['profiles', 'lint']],
    [['completion', 'bash']],
    [['completion', 'fish']],
    [['diff', 'analytics', 'refund-agent']],
    [['config']],
    [['explain', 'charge_read']],
    [['resources', 'charges']],
    [['init', 'helper', '--permission', 'charges=read']],
    [['init', 'helper', '--permission', 'refunds=write', '--ci', 'none']],
    [['--help']],
    [['--version']],
  ])('%j', async (args) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'keyaudit.policy.yaml'), 'require: { maxKeyAge: 30d }\n');
    const run = await guarded(args, cwd);
    expect([run.exitCode, run.stderr]).toEqual([0, expect.not.stringContaining('offline guard')]);
  });

  it.each([
    ['a key', ['verify', 'analytics'], 99],
    ['a server', ['sandbox', '--port', '0'], 97],
  ])('the guard itself catches %s', async (_what, args, exitCode) => {
    expect((await guarded(args, await temporaryFolder())).exitCode).toBe(exitCode);
  });
});
