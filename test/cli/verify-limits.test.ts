import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { startFaultyServer } from '../support/faulty-server.ts';
import { KEYAUDIT, NODE, runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

interface VerifyJson {
  ok: boolean;
  results: {
    profile: string;
    key: { mode: string } | null;
    summary: { probes: number };
    unasked: { operation: string; reason: string }[];
    stopped?: { code: string; message: string };
  }[];
  comparisons?: {
    profile: string;
    compared: number;
    differences: { operation: string; test: string; live: string }[];
    undetermined: string[];
  }[];
}

const json = (text: string) => JSON.parse(text) as VerifyJson;

describe('a run that ends early', () => {
  it('on Ctrl-C prints what it has, says that it is partial, and is 3', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandbox({ catalog: new Catalog(catalogData), behaviour: { latencyMs: 40 } });
    onTestFinished(() => server.close());
    const env = { PATH: process.env.PATH ?? '', HOME: cwd, STRIPE_SECRET_KEY: server.secretKey.reveal() };
    const base = ['--api-base', server.url];
    expect((await runCli(['provision', '--examples', ...base], { cwd, env })).exitCode).toBe(0);
    const args = [KEYAUDIT, 'verify', '--examples', '--rate', '20', '--report', 'json=out.json', ...base];
    const run = execa(NODE, args, { cwd, env, extendEnv: false, reject: false });
    // After it began, long before the first profile's 148 probes can be done.
    const asked = () => [...server.requests().values()].reduce((sum, count) => sum + count, 0);
    const before = asked();
    while (asked() < before + 20) await new Promise((resolve) => setTimeout(resolve, 20));
    run.kill('SIGINT');
    const { exitCode, stdout, signal } = await run;
    expect({ exitCode, signal }).toEqual({ exitCode: 3, signal: undefined });
    expect(stdout).toContain('Interrupted; this report is partial.');
    expect(stdout).toContain('(partial)');
    const { ok, results } = json(await readFile(join(cwd, 'out.json'), 'utf8'));
    expect(ok).toBe(false);
    expect(results).toHaveLength(5);
    expect(results[0]?.summary.probes).toBeGreaterThan(0);
    for (const { stopped } of results) expect(stopped?.code).toBe('INTERRUPTED');
  });

  it('at its deadline does the same for every profile that is left', async () => {
    const cwd = await temporaryFolder();
    const env = {};
    await runCli(['provision', '--examples'], { cwd, env });
    const args = ['verify', '--examples', '--rate', '100', '--deadline', '1s', '--format', 'json'];
    const run = await runCli(args, { cwd, env });
    expect(run.exitCode).toBe(3);
    const { results } = json(run.stdout);
    expect(results.map(({ stopped }) => stopped?.code)).toEqual(Array(5).fill('DEADLINE'));
    expect(results.at(-1)?.summary.probes).toBe(0);
    // What a second holds at this rate, and what was under way at its end.
    const probes = results.reduce((sum, { summary }) => sum + summary.probes, 0);
    expect(probes).toBeLessThan(100 + 64);
  });

  it('says so when nothing answers any more, and what was the matter', async () => {
    const cwd = await temporaryFolder();
    const server = await startFaultyServer(() => {});
    const args = ['verify', 'analytics', '--timeout', '0.2s', '--format', 'json'];
    const run = await runCli([...args, '--api-base', server.url], {
      cwd,
      env: { STRIPE_ANALYTICS_KEY: 'rk_test_abcdefgh12345678' },
    });
    expect(run.exitCode).toBe(3);
    expect(json(run.stdout).results[0]?.stopped).toMatchObject({
      code: 'NO_ANSWER',
      message: expect.stringMatching(/not asked\. No answer came in time\./),
    });
  });

  it.each([
    ['--deadline', 'soon'],
    ['--timeout', '-1s'],
  ])('takes no %s of "%s"', async (option, value) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['verify', 'analytics', `${option}=${value}`], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('is not a duration');
  });
});

describe('depth endpoints on target stripe', () => {
  it('leaves out the two calls that answer in the form of OAuth, and says why', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const { token } = await server.makeKey([
      'balance_read',
      'charge_read',
      'customer_read',
      'invoice_read',
      'subscription_read',
    ]);
    const args = ['verify', 'analytics', '--depth', 'endpoints', '--rate', '2000', '--api-base', server.url];
    const env = { STRIPE_ANALYTICS_KEY: token };
    const stripe = await runCli([...args, '--target', 'stripe'], { cwd, env });
    expect(stripe.stdout.replace(/\s+/g, ' ')).toContain(
      'Cannot be verified, since Stripe answers in the form of OAuth, which says nothing about permissions: oauth.deauthorize, oauth.token.',
    );
    expect(stripe.stdout.replace(/\s+/g, ' ')).toContain(
      'Cannot be verified, since it takes the token of a session, not an API key: v2.billing.meterEventStream.create.',
    );
    expect(stripe.stdout).toContain('661 probes, 661 passed');
    expect(stripe.exitCode).toBe(0);
    const sandbox = await runCli(args, { cwd, env });
    expect(sandbox.stdout).toContain('664 probes, 664 passed');
  });
});

describe('verify --compare', () => {
  const keyIn = async (cwd: string, variable: string) => {
    const text = await readFile(join(cwd, '.keyaudit', 'keys.env'), 'utf8');
    return new RegExp(`^${variable}=(\\S+)$`, 'm').exec(text)?.[1] ?? '';
  };

  it('shows what differs between the test key and the live key of a profile', async () => {
    const cwd = await temporaryFolder();
    const live = ['--live'];
    await runCli(['provision', 'analytics', 'refund-agent', ...live], { cwd });
    const twin = await keyIn(cwd, 'STRIPE_ANALYTICS_KEY');
    const other = await keyIn(cwd, 'STRIPE_REFUND_AGENT_KEY');
    await runCli(['provision', 'analytics'], { cwd });

    const args = ['verify', 'analytics', '--compare', ...live, '--format', 'json'];
    const same = await runCli(args, { cwd, env: { STRIPE_ANALYTICS_KEY_LIVE: twin } });
    expect(same.exitCode).toBe(0);
    const equal = json(same.stdout);
    expect(equal.results.map(({ key }) => key?.mode)).toEqual(['test', 'live']);
    expect(equal.comparisons).toMatchObject([{ profile: 'analytics', differences: [], undetermined: [] }]);
    expect(equal.comparisons?.[0]?.compared).toBe(equal.results[0]?.summary.probes);

    const env = { OTHER: other };
    const differs = await runCli([...args, '--live-key-env', 'OTHER'], { cwd, env });
    expect(differs.exitCode).toBe(1);
    const [comparison] = json(differs.stdout).comparisons ?? [];
    expect(comparison?.differences).toContainEqual(
      expect.objectContaining({ operation: 'refunds.create', test: 'forbidden', live: 'allowed' }),
    );
    expect(comparison?.differences).toContainEqual(
      expect.objectContaining({ operation: 'invoices.list', test: 'allowed', live: 'forbidden' }),
    );
    const table = await runCli(['verify', 'analytics', '--compare', ...live, '--live-key-env', 'OTHER'], {
      cwd,
      env,
    });
    expect(table.stdout.replace(/\s+/g, ' ')).toMatch(
      /DIFFERS refunds\.create \(POST \/v1\/refunds, charge_write\): only the live key can; test forbidden, live allowed/,
    );
    expect(`${same.stdout}${differs.stdout}${table.stdout}`).not.toMatch(/rk_(?:test|live)_\w{8}/);
  });

  it.each<
    [what: string, args: readonly string[], env: Record<string, string>, exitCode: number, says: RegExp]
  >([
    ['without --live', ['--compare'], {}, 2, /Say --live as well/],
    ['as JUnit', ['--compare', '--live', '--format', 'junit'], {}, 2, /cannot be shown as junit/],
    ['with a lock file', ['--compare', '--live', '--frozen'], {}, 2, /not both/],
    [
      'of a live key where the test key belongs',
      ['--compare', '--live'],
      { STRIPE_ANALYTICS_KEY: 'rk_live_abcdefgh12345678' },
      2,
      /where the test key of analytics belongs/,
    ],
    ['without a live key', ['--compare', '--live'], {}, 3, /STRIPE_ANALYTICS_KEY_LIVE is not set/],
  ])('is refused %s', async (_what, args, env, exitCode, says) => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'analytics'], { cwd });
    const run = await runCli(['verify', 'analytics', ...args], { cwd, env });
    expect(run.exitCode).toBe(exitCode);
    expect(`${run.stdout}${run.stderr}`.replace(/\s+/g, ' ')).toMatch(says);
  });
});
