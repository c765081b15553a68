import { describe, expect, it, onTestFinished } from 'vitest';
import type { Operation } from '../../src/core/catalog/catalog.ts';
import { beyondSdkRows } from '../../src/core/catalog/data/beyond-sdk.ts';
import { parametersOf } from '../../src/core/catalog/parameters.ts';
import { buildBeyondProbe } from '../../src/core/probe/build-beyond-probe.ts';
import { buildProbe } from '../../src/core/probe/build-probe.ts';
import { DEPTHS } from '../../src/core/probe/depth.ts';
import type { Probe } from '../../src/core/probe/probe.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import type { ProbeResult } from '../../src/core/verdict/finding.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { sendProbes } from '../../src/stripe/send-probes.ts';
import { catalog, writePlatformProfile } from '../support/every-permission.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

// No probe changes anything, whatever the key may do: every call of both tables, on both sides, and every depth of the program.

const ALL = catalog.permissions.map(({ name }) => name);
const ACCOUNT = 'acct_1Connected';

/** A sandbox with something to lose, and a look at all that it keeps. */
async function somethingToLose() {
  const sandbox = await startSandbox({ catalog });
  onTestFinished(() => sandbox.close());
  const headers = {
    authorization: `Bearer ${sandbox.secretKey.reveal()}`,
    'stripe-version': '2026-08-26.preview',
  };
  const post = async (path: string, body: Record<string, string>, more: Record<string, string> = {}) => {
    const response = await fetch(`${sandbox.url}${path}`, {
      method: 'POST',
      headers: { ...headers, ...more },
      body: new URLSearchParams(body),
    });
    if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  };
  const sides: readonly Record<string, string>[] = [{}, { 'stripe-account': ACCOUNT }];
  for (const more of sides) {
    await post('/v1/customers', { name: 'Real', email: 'real@example.com' }, more);
    await post('/v1/charges', { amount: '2000', currency: 'eur', source: 'tok_visa' }, more);
    await post('/v1/coupons', { duration: 'once', percent_off: '10' }, more);
  }
  const full = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(ALL, ALL);
  const keys = async () => (await fetch(`${sandbox.url}/v2/iam/api_keys?limit=100`, { headers })).text();
  return { sandbox, full: SecretKey.of(full.token), keys };
}

/** Requests that were answered 2xx since, by method and status. */
function accepted(sandbox: Sandbox, before: ReadonlyMap<string, number>): readonly string[] {
  return [...sandbox.requests()]
    .filter(([what, count]) => count > (before.get(what) ?? 0) && / 2\d\d$/.test(what))
    .map(([what]) => what);
}

describe('every probe of both tables, on both sides', () => {
  it.each(['a secret key', 'a key that holds everything'] as const)(
    'changes nothing, with %s',
    async (which) => {
      const { sandbox, full, keys } = await somethingToLose();
      const probeFor = (operation: Operation): Probe =>
        buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' });
      const own = [
        ...catalog.operations.map(probeFor),
        ...beyondSdkRows
          .map((row) => buildBeyondProbe(row, 'abc123'))
          .filter(({ unsafe }) => unsafe !== true),
      ];
      const probes = [...own, ...own.map((probe) => ({ ...probe, account: ACCOUNT }))];
      const before = { objects: structuredClone(sandbox.objects()), keys: await keys() };
      const counted = new Map(sandbox.requests());
      const outcome = await sendProbes(probes, {
        key: which === 'a secret key' ? sandbox.secretKey : full,
        target: 'sandbox',
        apiBase: sandbox.url,
        apiVersion: catalog.apiVersion,
      });
      expect(outcome.stopped).toBeUndefined();
      expect(outcome.results).toHaveLength(probes.length);
      expect(accepted(sandbox, counted)).toEqual(['GET 200']);
      expect({ objects: sandbox.objects(), keys: await keys() }).toEqual(before);
      expect(outcome.results.filter(({ verdict }) => verdict.kind === 'allowed').length).toBeGreaterThan(
        1_000,
      );
    },
  );
});

const VERIFY = ['verify', 'platform', '--key-env', 'FULL_KEY', '--account', ACCOUNT, '--depth'];
const INSPECT = ['inspect', '--key-env', 'FULL_KEY'];
const RUNS = [...DEPTHS.map((depth) => [...VERIFY, depth]), INSPECT].map((args) => ({
  args,
  what: args.join(' '),
}));

/** Runs the program on a sandbox with something to lose, and shows that it lost nothing. */
async function unchangedBy(args: readonly string[], which: 'secret' | 'full') {
  const { sandbox, full, keys } = await somethingToLose();
  const bare = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(['sku_read']);
  const cwd = await temporaryFolder();
  // Both sides are probed where a profile asks for something on both.
  await writePlatformProfile(cwd);
  const before = { objects: structuredClone(sandbox.objects()), keys: await keys() };
  const counted = new Map(sandbox.requests());
  const ran = await runCli([...args, '--format', 'json', '--verbose'], {
    cwd,
    env: {
      FULL_KEY: (which === 'secret' ? sandbox.secretKey : full).reveal(),
      BARE_KEY: bare.token,
      STRIPE_SECRET_KEY: sandbox.secretKey.reveal(),
      KEYAUDIT_API_BASE: sandbox.url,
    },
  });
  const succeeded = accepted(sandbox, counted);
  expect({ objects: sandbox.objects(), keys: await keys() }).toEqual(before);
  return { ...ran, succeeded };
}

describe('the program', () => {
  it.each(RUNS)('changes nothing with a key that holds everything: $what', async ({ args }) => {
    const { exitCode, succeeded, stdout } = await unchangedBy(args, 'full');
    expect(exitCode).toBe(args[0] === 'inspect' ? 0 : 1);
    expect(succeeded).toEqual(['GET 200']);
    if (args.at(-1) !== 'endpoints') return;
    const [result] = (JSON.parse(stdout) as { results: { probes: ProbeResult[] }[] }).results;
    const asked = (connect: boolean) =>
      (result?.probes ?? []).filter((probe) => probe.connect === connect).map(({ operation }) => operation);
    const names = catalog.operations.map(({ name }) => name);
    for (const connect of [false, true]) {
      expect(asked(connect)).toEqual(expect.arrayContaining(names));
      expect(asked(connect).length, 'those beyond the SDK').toBeGreaterThan(names.length + 10);
    }
  });

  it.each(RUNS)('sends nothing with a secret key, and refuses it: $what', async ({ args }) => {
    const { exitCode, succeeded, stderr } = await unchangedBy(args, 'secret');
    expect(JSON.parse(stderr)).toMatchObject({ code: 'KEY_WRONG_KIND' });
    expect({ exitCode, succeeded }).toEqual({ exitCode: 2, succeeded: [] });
  });

  it('changes nothing when it calibrates its probes, which it sends with a secret key', async () => {
    const { exitCode, succeeded, stdout } = await unchangedBy(
      ['calibrate', '--only', 'probes', '--bare-key-env', 'BARE_KEY'],
      'secret',
    );
    expect({ exitCode, succeeded }).toEqual({ exitCode: 0, succeeded: ['GET 200'] });
    expect(stdout).toContain('"unsafe": []');
  });
});
