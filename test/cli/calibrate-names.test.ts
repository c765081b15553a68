import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog, type Operation, type PermissionName } from '../../src/core/catalog/catalog.ts';
import { beyondSdkRows } from '../../src/core/catalog/data/beyond-sdk.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

/** Every second row of its kind, so that neither neighbours nor one family are tried alone. */
function tenOf(provenance: Operation['provenance'], isFit: (one: Operation) => boolean = () => true) {
  const rows = catalogData.operations.filter(
    (one) => one.provenance === provenance && one.host === 'api' && isFit(one),
  );
  return rows.filter((_, index) => index % 2 === 1).slice(0, 10);
}

const UNKNOWN = tenOf('unknown');
const WRONG = tenOf('inferred');
const LIED_ABOUT = tenOf('documented', ({ permissions }) => permissions.length === 1);
/** What Stripe's own table would say: of each another permission, far from what the catalog has. */
const OTHERS = catalogData.permissions.filter(({ managedApi, level }) => managedApi && level === 'write');
const TRUTH = new Map<string, PermissionName>(
  [...UNKNOWN, ...WRONG].map(({ name, permissions }, index) => {
    const fit = OTHERS.filter((one) => !permissions.includes(one.name));
    return [name, fit[index]?.name ?? ''];
  }),
);

async function otherStripe(behaviour: Record<string, unknown> = {}) {
  const operations = catalogData.operations.map((one) => {
    const name = TRUTH.get(one.name);
    return name === undefined ? one : { ...one, permissions: [name], provenance: 'observed' as const };
  });
  const known = new Set(catalogData.permissions.map(({ name }) => name));
  expect([...TRUTH.values()].filter((name) => !known.has(name))).toEqual([]);
  const sandbox = await startSandbox({
    catalog: new Catalog({ ...catalogData, operations }),
    behaviour: {
      refusalNames: Object.fromEntries(LIED_ABOUT.map(({ name }) => [name, 'payout_write'])),
      ...behaviour,
    },
  });
  onTestFinished(() => sandbox.close());
  return sandbox;
}

const BEYOND = beyondSdkRows.filter(({ access }) => access !== 'unsafe' && access !== 'expansion').length;

interface Report {
  ok: boolean;
  requests: number;
  named: Record<string, number>;
  filled: { operation: string }[];
  replaced: { operation: string }[];
  contradictions: {
    operation: string;
    catalog: { permissions: string[] };
    named: { name: string; count: number; day: string }[];
  }[];
  confirmations?: { operation: string; settled: string[] | null }[];
}

const names = (rows: readonly { operation: string }[]) => rows.map(({ operation }) => operation).sort();
const namesOf = (rows: readonly Operation[]) => rows.map(({ name }) => name).sort();

describe('calibrate --bare-only', () => {
  it('learns 20 rows of 30, shows the other ten as contradictions, and --confirm settles them', async () => {
    expect([UNKNOWN, WRONG, LIED_ABOUT].map((rows) => rows.length)).toEqual([10, 10, 10]);
    const cwd = await temporaryFolder();
    const stripe = await otherStripe();
    const secret = stripe.secretKey.reveal();
    const env = { KEYAUDIT_API_BASE: stripe.url };
    const made = await fetch(`${stripe.url}/v2/iam/api_keys`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${secret}`,
        'stripe-version': '2026-08-26.preview',
        'content-type': 'application/json',
      },
      body: JSON.stringify({ type: 'secret_key', name: 'bare', permissions: ['shipping_rate_read'] }),
    });
    const { token } = JSON.parse(
      JSON.stringify(await made.json()).replace(/^.*?("token":"[^"]+").*$/, '{$1}'),
    );
    const run = async (args: readonly string[], more: Record<string, string> = {}) => {
      const { exitCode, stdout } = await runCli(['calibrate', '--format', 'json', ...args], {
        cwd,
        env: { ...env, ...more },
      });
      return { exitCode, report: JSON.parse(stdout) as Report };
    };
    const inUse = async () => {
      const { stdout } = await runCli(['permissions', '--all', '--format', 'json'], { cwd, env });
      const rows = JSON.parse(stdout).endpoints as {
        operation: string;
        permissions: string[];
        provenance: string;
        remarks?: string[];
      }[];
      return new Map(rows.map((row) => [row.operation, row]));
    };

    // Nothing but one key without permissions, and one request for each operation.
    const bare = await run(['--bare-only', '--bare-key-env', 'BARE'], { BARE: token });
    expect(bare.exitCode).toBe(0);
    expect(bare.report.requests).toBe(catalogData.operations.length + BEYOND);
    expect(names(bare.report.filled)).toEqual(namesOf(UNKNOWN));
    expect(names(bare.report.replaced)).toEqual(namesOf(WRONG));
    expect(names(bare.report.contradictions)).toEqual(namesOf(LIED_ABOUT));
    for (const { operation, catalog, named } of bare.report.contradictions) {
      expect(catalog.permissions).toEqual(LIED_ABOUT.find(({ name }) => name === operation)?.permissions);
      expect(named).toEqual([
        { name: 'payout_write', count: 1, day: expect.stringMatching(/^\d{4}(-\d\d){2}$/) },
      ]);
    }

    const learned = await inUse();
    for (const { name } of [...UNKNOWN, ...WRONG])
      expect(learned.get(name)).toMatchObject({ permissions: [TRUTH.get(name)], provenance: 'named' });
    for (const { name, permissions } of LIED_ABOUT) {
      const row = learned.get(name);
      expect(row).toMatchObject({ permissions, provenance: 'documented' });
      expect(row?.remarks?.join(' ')).toMatch(/a refusal on this account .*named payout_write; .*--confirm/);
    }

    const again = await run(['--bare-only', '--bare-key-env', 'BARE'], { BARE: token });
    expect(again.report.requests).toBe(0);

    const confirmed = await run(['--confirm'], { STRIPE_SECRET_KEY: secret });
    expect(confirmed.exitCode).toBe(0);
    expect(confirmed.report.contradictions).toEqual([]);
    expect(confirmed.report.confirmations).toHaveLength(30);
    expect(confirmed.report.confirmations?.filter(({ settled }) => settled === null)).toEqual([]);
    const settled = await inUse();
    for (const { name } of [...UNKNOWN, ...WRONG])
      expect(settled.get(name)).toMatchObject({ permissions: [TRUTH.get(name)], provenance: 'calibrated' });
    for (const { name, permissions } of LIED_ABOUT)
      expect(settled.get(name)).toMatchObject({ permissions, provenance: 'calibrated' });

    // The keys with one permission each are gone, and nothing of this run can be told from what is kept.
    const list = await fetch(`${stripe.url}/v2/iam/api_keys`, {
      headers: { authorization: `Bearer ${secret}`, 'stripe-version': '2026-08-26.preview' },
    });
    expect(((await list.json()) as { data: unknown[] }).data).toHaveLength(1);
    const folder = join(cwd, '.config/keyaudit/calibration');
    for (const file of (await readdir(folder, { recursive: true })).filter((one) => one.endsWith('.json')))
      expect(await readFile(join(folder, file), 'utf8')).not.toMatch(/(?:sk|rk)_test_|acct_|mk_|req_/);

    const printed = await runCli(['calibrate', '--print'], { cwd, env });
    const table = printed.stdout.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    expect(table[0]).toBe('method\tpath\tpermissions\tprovenance\tsource\tremark');
    const calibrated = table.filter((line) => line.split('\t')[3] === 'calibrated');
    expect(calibrated).toHaveLength(30);
  });

  it('says of a name that Stripe makes no key with, and of two that both fail, that nothing is settled', async () => {
    const cwd = await temporaryFolder();
    const [first, second] = LIED_ABOUT;
    if (first === undefined || second === undefined) throw new Error('no rows');
    const stripe = await otherStripe({
      refusalNames: { [first.name]: 'made_up_write', [second.name]: 'payout_write' },
      impossible: [second.name],
    });
    const env = { KEYAUDIT_API_BASE: stripe.url, STRIPE_SECRET_KEY: stripe.secretKey.reveal() };
    await keepNames(cwd, [
      { operation: first.name, name: 'made_up_write' },
      { operation: second.name, name: 'payout_write' },
    ]);
    const run = await runCli(['calibrate', '--confirm', '--format', 'json'], { cwd, env });
    const { confirmations } = JSON.parse(run.stdout) as Report;
    expect(confirmations).toMatchObject([
      { operation: first.name, settled: first.permissions },
      { operation: second.name, settled: null },
    ]);
    const shown = await runCli(['calibrate', '--confirm'], { cwd, env });
    expect(shown.stdout.replace(/\s+/g, ' ')).toMatch(/not settled; .*: impossible/);
  });

  it.each<[args: string[], env: Record<string, string>, exitCode: number, says: RegExp]>([
    [['--bare-only', '--only', 'probes'], {}, 2, /nothing else.*--only/],
    [['--bare-only', '--write', 'x'], {}, 2, /nothing else.*--write/],
    [['--bare-only', '--bare-key-env', 'BARE'], { BARE: 'sk_test_abcdefgh12345678' }, 2, /a secret key/],
    [['--bare-only', '--bare-key-env', 'BARE'], { BARE: 'rk_live_abcdefgh12345678' }, 2, /test keys only/],
    [['--confirm'], {}, 3, /nothing to confirm.*--bare-only --confirm/],
    [['--bare-only', '--live'], {}, 2, /test keys only/],
  ])('refuses %j', async (args, env, exitCode, says) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['calibrate', ...args], { cwd, env });
    expect(run.exitCode).toBe(exitCode);
    expect(`${run.stdout}${run.stderr}`.replace(/\s+/g, ' ')).toMatch(says);
  });
});

/** What earlier runs have kept, as they would have. */
async function keepNames(cwd: string, rows: readonly { operation: string; name: string }[]): Promise<void> {
  const { keepNamedRefusals } = await import('../../src/store/calibration/named-refusals-file.ts');
  const fresh = rows.map((row) => ({ ...row, apiVersion: catalogData.apiVersion }));
  await keepNamedRefusals({ HOME: cwd }, { target: 'sandbox' }, fresh, '2026-11-25');
}

describe('what refusals named', () => {
  it('is kept by verify, inspect and rotate of a server elsewhere: names and counts, nothing else', async () => {
    const cwd = await temporaryFolder();
    const stripe = await startSandbox({ catalog: new Catalog(catalogData) });
    onTestFinished(() => stripe.close());
    const env = { KEYAUDIT_API_BASE: stripe.url, STRIPE_SECRET_KEY: stripe.secretKey.reveal() };
    const file = join(cwd, '.config/keyaudit/calibration/refusals/sandbox.json');
    const countOf = async () => {
      const text = await readFile(file, 'utf8').catch(() => '{"refusals":[]}');
      expect(text).not.toMatch(/(?:sk|rk)_test_|acct_|mk_|req_/);
      const { refusals } = JSON.parse(text) as { refusals: { operation: string; count: number }[] };
      return refusals.find(({ operation }) => operation === 'payouts.list')?.count ?? 0;
    };
    await runCli(['provision', 'analytics'], { cwd, env });
    const counts = [await countOf()];
    for (const verb of [
      ['verify', 'refund-agent', '--key-env', 'KEY'],
      ['inspect', '--key-env', 'KEY'],
      ['rotate', 'refund-agent'],
    ]) {
      if (verb[0] === 'rotate') await runCli(['provision', 'refund-agent'], { cwd, env });
      const { token } = await keyMaker(stripe.url, env.STRIPE_SECRET_KEY).makeKey([
        'charge_write',
        'customer_read',
      ]);
      await runCli(verb, { cwd, env: { ...env, KEY: token } });
      counts.push(await countOf());
    }
    // rotate looks at the new key and at the old one.
    expect(counts).toEqual([0, 1, 2, 4]);
  });

  it('leaves a verdict as it is where it cannot be kept, and says so', async () => {
    const cwd = await temporaryFolder();
    const stripe = await startSandbox({ catalog: new Catalog(catalogData) });
    onTestFinished(() => stripe.close());
    const env = { KEYAUDIT_API_BASE: stripe.url, STRIPE_SECRET_KEY: stripe.secretKey.reveal() };
    await runCli(['provision', 'refund-agent'], { cwd, env });
    const settings = join(cwd, 'settings');
    await writeFile(settings, 'a file where a folder belongs');
    const run = await runCli(['verify', 'refund-agent', '--depth', 'checks'], {
      cwd,
      env: { ...env, XDG_CONFIG_HOME: settings },
    });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toMatch(/warning: what refusals named could not be kept: .*cannot be written/);
  });
});

describe('names that a server made up', () => {
  it('make no verdict greener: what the shipped catalog finds is found', async () => {
    const cwd = await temporaryFolder();
    const stripe = await startSandbox({ catalog: new Catalog(catalogData) });
    onTestFinished(() => stripe.close());
    const env = { KEYAUDIT_API_BASE: stripe.url, STRIPE_SECRET_KEY: stripe.secretKey.reveal() };
    await runCli(['provision', 'refund-agent'], { cwd, env });
    const args = [
      'verify',
      'refund-agent',
      '--depth',
      'endpoints',
      '--format',
      'json',
      '--witness',
      'probes',
    ];
    stripe.behaviour.grantsMore = ['payout_write', 'coupon_write', 'file_write'];
    await runCli(['provision', 'refund-agent'], { cwd, env });
    const findings = async () => {
      const run = await runCli(args, { cwd, env });
      const [result] = JSON.parse(run.stdout).results;
      return {
        exitCode: run.exitCode,
        summary: result.summary,
        found: result.findings.map(
          (one: { kind: string; operation: string }) => `${one.kind} ${one.operation}`,
        ),
      };
    };
    const before = await findings();
    // Whatever the key holds is named for every call, a thousand times over.
    const { keepNamedRefusals } = await import('../../src/store/calibration/named-refusals-file.ts');
    const lies = catalogData.operations.flatMap(({ name }) =>
      ['charge_write', 'customer_read'].map((lie) => ({
        operation: name,
        name: lie,
        apiVersion: catalogData.apiVersion,
      })),
    );
    await keepNamedRefusals({ HOME: cwd }, { target: 'sandbox' }, lies, '2026-11-25');
    await keepNamedRefusals({ HOME: cwd }, { target: 'sandbox' }, lies, '2026-11-25');
    expect(await findings()).toEqual(before);
    const plan = async () =>
      JSON.parse((await runCli(['plan', 'refund-agent', '--format', 'json'], { cwd, env })).stdout);
    const lied = await plan();
    const { stdout } = await runCli(['plan', 'refund-agent', '--format', 'json'], { cwd });
    expect(lied.permissions).toEqual(JSON.parse(stdout).permissions);
    expect(lied.widenings).toEqual(JSON.parse(stdout).widenings);
  });
});
