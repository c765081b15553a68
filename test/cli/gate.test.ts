import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Log } from 'sarif';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

/** The project's own lock file: its five profiles, as verified on the sandbox ("npm run lock"). */
const LOCK = fileURLToPath(new URL('../../keyaudit.lock.yaml', import.meta.url));
const GATE = ['verify', '--examples', '--frozen', '--lock', LOCK];

describe('the gate of this project', () => {
  it('lets its five profiles pass against the committed lock file', async () => {
    const cwd = await temporaryFolder();
    expect((await runCli(['provision', '--examples'], { cwd })).exitCode).toBe(0);
    const run = await runCli(GATE, { cwd });
    expect(run.stderr, 'if this is meant: npm run lock').toBe('');
    expect(run.exitCode, run.stdout).toBe(0);
    expect(run.stdout).not.toMatch(/DRIFT (?!changed)/);
    const check = await runCli(['lock', '--examples', '--check', '--lock', LOCK], { cwd });
    expect(check.exitCode, `${check.stdout}Run "npm run lock".`).toBe(0);
  });

  it('shuts for a broader key, and JUnit, SARIF and summary show the over-granted operation first', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const locked = parse(await readFile(LOCK, 'utf8')).profiles['dispute-handler'].permissions as string[];
    const at = ['--api-base', sandbox.url];
    const made = await runCli(['provision', '--examples', ...at], {
      cwd,
      env: { STRIPE_SECRET_KEY: sandbox.secretKey },
    });
    expect(made.exitCode).toBe(0);
    const { token } = await sandbox.makeKey([...locked, 'webhook_write']);
    const run = await runCli(
      [
        ...GATE,
        ...at,
        '--report',
        'junit=r.xml',
        '--report',
        'sarif=r.sarif',
        '--report',
        'github=github.txt',
      ],
      { cwd, env: { STRIPE_DISPUTE_KEY: token, GITHUB_STEP_SUMMARY: 'summary.md' } },
    );
    expect(run.exitCode).toBe(1);
    const operation = 'webhookEndpoints.del';
    const read = (name: string) => readFile(join(cwd, name), 'utf8');
    const junit = await read('r.xml');
    expect(/<testsuite [^>]*name="([\w-]+)"/.exec(junit)?.[1]).toBe('dispute-handler');
    expect(/<testcase [^>]*name="([\w.]+)/.exec(junit)?.[1]).toBe(operation);
    const [result] = (JSON.parse(await read('r.sarif')) as Log).runs[0]?.results ?? [];
    expect(result).toMatchObject({
      ruleId: 'over-grant/self-widening',
      properties: { profile: 'dispute-handler' },
    });
    expect(result?.locations?.[0]?.logicalLocations?.[0]?.name).toBe(operation);
    expect(/\n\| `dispute-handler` \| `([\w.]+)`/.exec(await read('summary.md'))?.[1]).toBe('webhook_write');
    expect(await read('github.txt')).toMatch(/^::error [^\n]*over-grant webhook_write::/);
  });

  it('has every profile that ships, and no secret', async () => {
    expect(existsSync(LOCK)).toBe(true);
    const text = await readFile(LOCK, 'utf8');
    expect(Object.keys(parse(text).profiles)).toEqual([
      'analytics',
      'dispute-handler',
      'payment-capture',
      'refund-agent',
      'subscription-manager',
    ]);
    expect(text).not.toMatch(/[rs]k_(test|live)_/);
  });
});
