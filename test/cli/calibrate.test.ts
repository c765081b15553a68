import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { answerJson, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { KEYAUDIT, NODE, runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

interface Row {
  operation: string;
  quality: string;
  entry: { bare?: { named: string[]; status: number }; full?: { status: number } };
}

interface CalibrateJson {
  ok: boolean;
  requests: number;
  file: string;
  summary: Record<string, number>;
  blind: Row[];
  unsafe: Row[];
  wrongRows: Row[];
  resolver?: {
    disagreements: { operation: string; catalog: string[]; resolver: string[] }[];
    written?: { file: string; rows: number };
    unavailable?: string;
  };
  stopped?: { code: string; message: string };
}

async function calibrate(
  cwd: string,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<{ exitCode: number; report: CalibrateJson; stderr: string }> {
  const run = await runCli(['calibrate', '--format', 'json', ...args], { cwd, env });
  expect(run.stdout).not.toMatch(/\b(?:sk|rk)_test_\w{8}/);
  return {
    exitCode: run.exitCode,
    report: JSON.parse(run.stdout || '{}') as CalibrateJson,
    stderr: run.stderr,
  };
}

const BLIND = ['charges.create', 'customers.update', 'paymentIntents.capture'];

// A calibration sends 1,300 requests; on a busy machine that takes its time.
describe('calibrate', () => {
  it('finds exactly the blind probes, and later runs know of them', async () => {
    const cwd = await temporaryFolder();
    const file = join(cwd, 'behaviour.json');
    await writeFile(file, JSON.stringify({ blind: BLIND }));
    const env = { KEYAUDIT_SANDBOX_BEHAVIOUR: file };
    await runCli(['provision', 'analytics'], { cwd, env });
    const verify = async (depth: string) => {
      const args = ['verify', 'analytics', '--depth', depth, '--format', 'json', '--verbose'];
      const run = await runCli(args, { cwd, env });
      const [result] = JSON.parse(run.stdout).results;
      const probes = result.probes as Record<string, string>[];
      return { run, result, of: (name: string) => probes.find((one) => one.operation === name) };
    };

    const before = await verify('endpoints');
    expect(before.run.exitCode).toBe(1);
    expect(before.of('charges.create')).toMatchObject({ observed: 'allowed', evidence: 'weak' });

    const { exitCode, report } = await calibrate(cwd, [], env);
    expect(exitCode).toBe(0);
    expect(report.blind.map((row) => row.operation)).toEqual(BLIND);
    expect(report.unsafe).toEqual([]);
    expect(report.wrongRows).toEqual([]);
    expect(report.summary).toMatchObject({ operations: 650, asked: 650, telling: 645, blind: 3, held: 2 });
    expect((await stat(report.file)).mode & 0o777).toBe(0o600);
    expect(report.file).toMatch(/\.config\/keyaudit\/calibration\/sandbox-/);

    const after = await verify('endpoints');
    expect(JSON.parse(after.run.stdout)).toMatchObject({ calibrated: 650, catalog: 'stripe-node 23.1.0' });
    expect(JSON.parse(before.run.stdout).calibrated).toBeUndefined();
    expect(after.run.exitCode).toBe(3);
    expect(after.result.summary).toMatchObject({ overGrants: 0, inconclusive: 3 });
    for (const name of BLIND) {
      expect(after.of(name)).toMatchObject({ observed: 'inconclusive', reason: 'blind-probe' });
    }
    expect(after.of('coupons.create')).toMatchObject({ observed: 'forbidden', provenance: 'calibrated' });
    // What the profile names is asked in any case; for the rest the plan finds probes that see.
    const shallow = await verify('permissions');
    expect(shallow.result.findings.map((one: { operation: string }) => one.operation)).toEqual([
      'charges.create',
      'customers.update',
    ]);
  });

  it('gives strong evidence to a 400 of a probe that tells', async () => {
    const cwd = await temporaryFolder();
    await runCli(['provision', 'subscription-manager'], { cwd });
    const weak = async () => {
      const args = [
        'verify',
        'subscription-manager',
        '--depth',
        'permissions',
        '--format',
        'json',
        '--verbose',
      ];
      const { results } = JSON.parse((await runCli(args, { cwd })).stdout);
      return results[0].probes.filter((one: { evidence: string }) => one.evidence === 'weak').length;
    };
    expect(await weak()).toBeGreaterThan(0);
    expect((await calibrate(cwd, ['--only', 'probes'])).exitCode).toBe(0);
    expect(await weak()).toBe(0);
  });

  it('leaves no key behind, and takes one that is given', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd, ['--set', 'keyApi=refused']);
    const refused = await calibrate(cwd, ['--api-base', server.url], { STRIPE_SECRET_KEY: server.secretKey });
    expect(refused.exitCode).toBe(2);
    expect(refused.stderr).toContain('--bare-key-env');

    const open = await startSandbox({ catalog: new Catalog(catalogData) });
    onTestFinished(() => open.close());
    const env = { STRIPE_SECRET_KEY: open.secretKey.reveal() };
    const made = await calibrate(cwd, ['--api-base', open.url, '--only', 'probes'], env);
    expect(made.exitCode).toBe(0);
    const list = await fetch(`${open.url}/v2/iam/api_keys`, {
      headers: { authorization: `Bearer ${env.STRIPE_SECRET_KEY}`, 'stripe-version': '2026-08-26.preview' },
    });
    expect(((await list.json()) as { data: unknown[] }).data).toEqual([]);
    await expect(readFile(join(cwd, '.keyaudit', 'journal.json'))).rejects.toThrow('ENOENT');
  });

  it('says when the key without permissions has too many', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const { token } = await server.makeKey(['charge_write', 'customer_write', 'invoice_write']);
    const run = await runCli(['calibrate', '--bare-key-env', 'BARE', '--only', 'probes'], {
      cwd,
      env: { BARE: token, STRIPE_SECRET_KEY: server.secretKey, KEYAUDIT_API_BASE: server.url },
    });
    expect(run.exitCode).toBe(0);
    expect(run.stdout.replace(/\s+/g, ' ')).toContain('may do too much');
    // What it holds is shown by its reads, so none of its writes passes for blind.
    expect(run.stdout).not.toMatch(/^ {2}\d+ blind/m);
  });

  it('goes on where an interrupted run ended', async () => {
    const cwd = await temporaryFolder();
    const open = await startSandbox({ catalog: new Catalog(catalogData), behaviour: { latencyMs: 20 } });
    onTestFinished(() => open.close());
    const env = {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      STRIPE_SECRET_KEY: open.secretKey.reveal(),
      KEYAUDIT_API_BASE: open.url,
      KEYAUDIT_TARGET: 'sandbox',
    };
    const args = [KEYAUDIT, 'calibrate', '--format', 'json', '--only', 'probes', '--rate', '200'];
    const first = execa(NODE, args, { cwd, env, extendEnv: false, reject: false });
    const count = () => [...open.requests().values()].reduce((sum, one) => sum + one, 0);
    while (count() < 300) await new Promise((resolve) => setTimeout(resolve, 20));
    first.kill('SIGINT');
    const stopped = await first;
    expect(stopped.exitCode).toBe(3);
    const partial = JSON.parse(stopped.stdout) as CalibrateJson;
    expect(partial.stopped?.code).toBe('INTERRUPTED');
    expect(partial.summary.asked).toBeGreaterThan(100);

    open.behaviour.latencyMs = 0;
    const { report, exitCode } = await calibrate(cwd, ['--only', 'probes'], env);
    expect(exitCode).toBe(0);
    expect(report.summary).toMatchObject({ asked: 650, telling: 648, undetermined: 0 });
    expect(report.requests).toBe(1300 - Number(partial.summary.asked));
    const again = await calibrate(cwd, ['--only', 'probes'], env);
    expect(again.report.requests).toBe(0);
  });

  it('stops at the first write that is answered 2xx, and names the object', async () => {
    const cwd = await temporaryFolder();
    const server = await startFaultyServer((request, response) => {
      if (request.url === '/v1/coupons' && request.method === 'POST')
        answerJson(response, 200, { id: 'co_made', object: 'coupon' });
      else answerJson(response, 403, stripeError('no', 'more_permissions_required'));
    });
    const env = {
      STRIPE_SECRET_KEY: 'sk_test_abcdefgh12345678',
      BARE: 'rk_test_abcdefgh12345678',
      KEYAUDIT_API_BASE: server.url,
    };
    const { report, exitCode } = await calibrate(cwd, ['--bare-key-env', 'BARE'], env);
    expect(exitCode).toBe(1);
    expect(report.unsafe.map((row) => row.operation)).toEqual(['coupons.create']);
    expect(report.stopped).toMatchObject({ code: 'PROBE_UNSAFE' });
    expect(report.stopped?.message).toContain('co_made');
    expect(server.requests.length).toBeLessThan(650);

    // It is never sent again, and what the profile names does not pass without it.
    const before = server.requests.length;
    await writeFile(
      join(cwd, 'p.yaml'),
      'name: p\npermissions: { charges: read }\nchecks: { forbid: [coupons.create] }\n',
    );
    const verify = ['verify', './p.yaml', '--key-env', 'BARE', '--format', 'json', '--depth'];
    for (const depth of ['checks', 'permissions', 'endpoints']) {
      const run = await runCli([...verify, depth], { cwd, env });
      const [result] = JSON.parse(run.stdout).results;
      expect(result.unasked).toContainEqual({ operation: 'coupons.create', reason: 'unsafe', named: true });
      expect(result.stopped?.code).toBe('PROBE_WITHHELD');
      expect(run.exitCode).not.toBe(0);
    }
    await runCli(['inspect', '--key-env', 'BARE'], { cwd, env });
    const sent = server.requests.slice(before);
    expect(sent.length).toBeGreaterThan(700);
    expect(sent.filter(({ method, url }) => method === 'POST' && url === '/v1/coupons')).toEqual([]);
  });

  it('finds wrong rows by refusals and by the resolver, keeps its answers, and later runs prefer them', async () => {
    const cwd = await temporaryFolder();
    const operations = catalogData.operations.map((one) =>
      one.name === 'coupons.list' ? { ...one, permissions: ['promotion_code_read'] } : one,
    );
    const other = await startSandbox({ catalog: new Catalog({ ...catalogData, operations }) });
    onTestFinished(() => other.close());
    const env = { STRIPE_SECRET_KEY: other.secretKey.reveal(), KEYAUDIT_API_BASE: other.url };
    const { report, exitCode } = await calibrate(cwd, ['--write', 'mine'], env);
    expect(exitCode).toBe(0);
    expect(report.wrongRows).toMatchObject([
      { operation: 'coupons.list', entry: { bare: { named: ['promotion_code_read'] } } },
    ]);
    expect(report.resolver?.disagreements).toMatchObject([
      { operation: 'coupons.list', catalog: ['coupon_read'], resolver: ['promotion_code_read'] },
    ]);
    expect(report.resolver?.written?.file).toMatch(/calibration\/rows\/mine\.json$/);
    const known = await runCli(['permissions', 'GET /v1/coupons', '--format', 'json'], { cwd, env });
    expect(JSON.parse(known.stdout).endpoints[0]).toMatchObject({
      permissions: ['promotion_code_read'],
      provenance: 'calibrated',
    });
    // What holds for the sandbox says nothing of Stripe.
    const stripe = await runCli(
      ['permissions', 'GET /v1/coupons', '--format', 'json', '--target', 'stripe'],
      { cwd },
    );
    expect(JSON.parse(stripe.stdout).permissions).toEqual(['coupon_read']);

    const printed = await runCli(['calibrate', '--print', 'answers'], { cwd, env });
    expect(printed.exitCode).toBe(0);
    expect(printed.stdout).toContain(
      'GET /v1/coupons\tcoupons.list\tcoupon_read\tpromotion_code_read\t403\t200\ttelling\tdiffers\n',
    );
    expect(printed.stdout.split('\n')).toHaveLength(650 + 4);
  });

  it('goes without the resolver where there is none', async () => {
    const cwd = await temporaryFolder();
    const server = await startFaultyServer((request, response) => {
      if (request.url === '/v1/stripecli/key_permissions') answerJson(response, 404, stripeError('no'));
      else if (request.headers.authorization?.includes('rk_'))
        answerJson(response, 403, stripeError('no', 'more_permissions_required'));
      else answerJson(response, 404, stripeError('no', 'resource_missing'));
    });
    const env = {
      STRIPE_SECRET_KEY: 'sk_test_abcdefgh12345678',
      BARE: 'rk_test_abcdefgh12345678',
      KEYAUDIT_API_BASE: server.url,
    };
    const { report, exitCode } = await calibrate(cwd, ['--bare-key-env', 'BARE'], env);
    expect(exitCode).toBe(0);
    expect(report.resolver?.unavailable).toMatch(/not available to this account/);
    expect((await calibrate(cwd, ['--only', 'catalog'], env)).exitCode).toBe(3);
  });

  it.each<
    [what: string, args: readonly string[], env: Record<string, string>, exitCode: number, says: RegExp]
  >([
    ['--live', ['--live'], {}, 2, /takes test keys only/],
    [
      'a live secret key',
      ['--target', 'stripe'],
      { STRIPE_SECRET_KEY: 'sk_live_abcdefgh12345678' },
      2,
      /takes test keys only/,
    ],
    [
      'a secret key of no known mode',
      ['--target', 'stripe'],
      { STRIPE_SECRET_KEY: 'sk_org_abcdefgh12345678' },
      2,
      /takes test keys only/,
    ],
    [
      'a restricted key as the unrestricted one',
      ['--target', 'stripe'],
      { STRIPE_SECRET_KEY: 'rk_test_abcdefgh12345678' },
      2,
      /one that may do everything/,
    ],
    [
      'a live bare key',
      ['--bare-key-env', 'BARE'],
      { BARE: 'rk_live_abcdefgh12345678' },
      2,
      /takes test keys only/,
    ],
    [
      'a bare key that is secret',
      ['--bare-key-env', 'BARE'],
      { BARE: 'sk_test_abcdefgh12345678' },
      2,
      /a secret key/,
    ],
    ['a missing bare key', ['--bare-key-env', 'BARE'], {}, 3, /BARE is not set/],
    [
      'a dead bare key',
      ['--bare-key-env', 'BARE'],
      { BARE: 'rk_test_abcdefgh12345678' },
      3,
      /without permissions: Stripe does not know this key/,
    ],
    ['--write into no folder', ['--write', 'no/rows.json'], {}, 2, /no\/rows\.json cannot be written/],
    ['--write of nothing', ['--write', 'x', '--only', 'probes'], {}, 2, /asks it nothing/],
    ['stripe-mock', ['--target', 'stripe-mock'], {}, 2, /enforces no permissions/],
    ['--print of nothing', ['--print'], {}, 3, /Nothing has been calibrated/],
  ])('refuses %s', async (_what, args, env, exitCode, says) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['calibrate', ...args], { cwd, env });
    expect(run.exitCode).toBe(exitCode);
    expect(`${run.stdout}${run.stderr}`.replace(/\s+/g, ' ')).toMatch(says);
  });

  it('says where a broken file lies', async () => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'config/keyaudit/calibration'), { recursive: true });
    const file = join(cwd, `config/keyaudit/calibration/sandbox-${catalogData.apiVersion}.json`);
    await writeFile(file, '{');
    const run = await runCli(['plan', 'analytics'], { cwd, env: { XDG_CONFIG_HOME: join(cwd, 'config') } });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain(`${file} is broken`);
  });
});
