import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import {
  catalog,
  isOneLevelWith,
  type PermissionChange,
  passedOver,
  writePlatformProfile,
} from '../support/every-permission.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

/** Nothing passes unseen: a sample of what test/peers/every-permission.test.ts tries with every permission. */

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

const REFUND_AGENT = ['charge_write', 'customer_read'];
/** Those that passed without a word before, of each kind, and a few that calls show. */
const SAMPLE = [
  'api_key_write',
  'issuing_card_sensitive_read',
  'accounts_kyc_id_numbers_read',
  'stripecli_session_write',
  'provisioning_project_write',
  'issuing_write',
  'order_write',
  'usage_record_read',
  'payout_write',
  'report_runs_and_report_types_write',
];

const changes: readonly PermissionChange[] = (['own', 'connect'] as const).flatMap((side) =>
  (['record', 'probes'] as const).flatMap((witness) =>
    // One call with an account tells of all of them.
    SAMPLE.slice(0, side === 'connect' && witness === 'probes' ? 1 : undefined).map((permission) => ({
      profile: 'refund-agent',
      permission,
      side,
      change: 'added' as const,
      witness,
    })),
  ),
);

describe('a permission more', () => {
  it.each(changes)('$permission on the $side side is found by $witness, or named', async (change) => {
    const cwd = await temporaryFolder();
    expect(await passedOver(change, { cwd, sandbox, held: REFUND_AGENT })).toBeUndefined();
  });

  it('that only lifts no level is no finding', async () => {
    expect(isOneLevelWith('charge_read', REFUND_AGENT)).toBe(true);
    const cwd = await temporaryFolder();
    const change = {
      profile: 'refund-agent',
      permission: 'charge_read',
      side: 'own',
      change: 'added',
      witness: 'record',
    } as const;
    expect(await passedOver(change, { cwd, sandbox, held: REFUND_AGENT })).toMatch(/exit 0/);
  });
});

describe('the Connect side', () => {
  const held = ['customer_read'];
  const connect = ['payout_write', 'product_read'];
  const platform = { profile: 'platform', side: 'connect', witness: 'probes' } as const;
  const scene = async () => {
    const cwd = await temporaryFolder();
    await writePlatformProfile(cwd);
    return { cwd, sandbox, held, connect, options: ['--account', 'acct_1Connected'] };
  };

  it.each(['charge_write', 'transfer_write', 'plan_write', 'api_key_write', 'customer_read'])(
    'is probed with --account: %s more is found',
    async (permission) => {
      expect(await passedOver({ ...platform, permission, change: 'added' }, await scene())).toBeUndefined();
    },
  );

  it.each(connect)('... and %s less', async (permission) => {
    expect(await passedOver({ ...platform, permission, change: 'dropped' }, await scene())).toBeUndefined();
  });

  it('without --account is unseen, and said so', async () => {
    const { cwd } = await scene();
    const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(held, connect);
    const { exitCode, stdout } = await runCli(
      ['verify', 'platform', '--key-env', 'K', '--api-base', sandbox.url, '--witness', 'probes'],
      { cwd, env: { K: token } },
    );
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/as far as calls show/);
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /no connected account was named with --account: .*Connect side/,
    );
  });

  it('of a key that has none at all is an under-grant', async () => {
    const { cwd } = await scene();
    const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(held);
    const { exitCode, stdout } = await runCli(
      ['verify', 'platform', '--key-env', 'K', '--api-base', sandbox.url, '--witness', 'probes'],
      { cwd, env: { K: token } },
    );
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/no Connect permissions at all/);
  });

  it('has widenings of its own, to be accepted by name', async () => {
    const cwd = await temporaryFolder();
    await writePlatformProfile(cwd);
    const text = `name: wide\nenv: STRIPE_WIDE_KEY\npermissions: { customers: read }\nconnect_permissions:\n  refunds: { level: write, why: Refunds for connected accounts }\n`;
    await writeFile(join(cwd, 'profiles', 'wide.yaml'), text);
    const plan = await runCli(['plan', 'wide', '--format', 'json'], { cwd });
    const { widenings, risks } = JSON.parse(plan.stdout) as {
      widenings: { connect?: boolean; operations: string[]; canWrite: boolean }[];
      risks: { permission: string; connect?: boolean; tier: string }[];
    };
    expect(widenings.filter((one) => one.connect === true && one.canWrite)[0]?.operations).toContain(
      'charges.create',
    );
    expect(risks).toContainEqual(
      expect.objectContaining({ permission: 'charge_write', connect: true, tier: 'money-out' }),
    );
    expect((await runCli(['profiles', 'lint', 'wide'], { cwd })).stdout).toMatch(/charges\.create/);
    expect((await runCli(['provision', 'wide'], { cwd })).stdout).toMatch(
      /customer_read; with Stripe-Account: charge_write/,
    );
    expect((await runCli(['keys', 'list'], { cwd })).stdout.replace(/\s+/g, ' ')).toMatch(
      /customer_read; with Stripe-Account: charge_write/,
    );
    for (const format of ['table', 'markdown']) {
      const card = (await runCli(['plan', 'wide', '--format', format], { cwd })).stdout.replace(/\s+/g, ' ');
      expect(card).toMatch(/asked[ *|]+customers R, refunds W with Stripe-Account/);
      expect(card).toMatch(/money-out: charge_write with Stripe-Account/);
      expect(card).toMatch(/charges\.capture with charge_write with Stripe-Account \(NOT ACCEPTED\)/);
      expect(card).toMatch(/approve refund created/);
    }
  });
});

describe('what must be seen', () => {
  const verify = async (args: readonly string[], policy?: string) => {
    const cwd = await temporaryFolder();
    if (policy !== undefined) await writeFile(join(cwd, 'keyaudit.policy.yaml'), policy);
    const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(REFUND_AGENT);
    return runCli(['verify', 'refund-agent', '--key-env', 'K', '--api-base', sandbox.url, ...args], {
      cwd,
      env: { K: token, STRIPE_SECRET_KEY: sandbox.secretKey.reveal() },
    });
  };

  it('is 3 with --unseen fail, and 0 once the record has been read', async () => {
    expect((await verify(['--witness', 'probes', '--unseen', 'fail'])).exitCode).toBe(3);
    expect((await verify(['--unseen', 'fail'])).exitCode).toBe(0);
  });

  it('is what the policy says', async () => {
    const policy = 'require: { seen: [self-widening] }\n';
    expect((await verify(['--witness', 'probes'], policy)).exitCode).toBe(3);
    expect((await verify(['--witness', 'both'], policy)).exitCode).toBe(0);
    expect((await verify(['--witness', 'probes'], 'require: { seen: [money-in] }\n')).exitCode).toBe(0);
  });

  it('is the record where it was asked for', async () => {
    sandbox.behaviour.recordRefused = true;
    try {
      for (const args of [
        ['--witness', 'both'],
        ['--witness', 'record'],
        ['--depth', 'record'],
      ]) {
        const { exitCode, stdout } = await verify([...args, '--format', 'json']);
        expect([args, exitCode]).toEqual([args, 3]);
        expect(JSON.parse(stdout).results[0].stopped.code).toBe('RECORD_UNREAD');
      }
      expect((await verify([])).exitCode).toBe(0);
    } finally {
      sandbox.behaviour.recordRefused = false;
    }
  });
});

describe("Stripe's record alone", () => {
  it('is a witness in every format: none says that nothing was asked', async () => {
    const cwd = await temporaryFolder();
    const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(REFUND_AGENT);
    const { env, ...rest } = { cwd, env: { K: token, STRIPE_SECRET_KEY: sandbox.secretKey.reveal() } };
    const formats = ['table', 'json', 'junit', 'sarif', 'github', 'markdown', 'html', 'gitlab'];
    const asked = [
      'verify',
      'refund-agent',
      '--key-env',
      'K',
      '--api-base',
      sandbox.url,
      '--depth',
      'record',
    ];
    const reports = formats.flatMap((format) => ['--report', `${format}=out.${format}`]);
    const ran = await runCli([...asked, ...reports, '--history', 'runs.jsonl'], { ...rest, env });
    expect(ran.exitCode, ran.stderr).toBe(0);
    for (const format of formats) {
      const text = await readFile(join(cwd, `out.${format}`), 'utf8');
      expect([format, /NOTHING_PROBED|[Nn]othing was probed|at least one call/.exec(text)?.[0]]).toEqual([
        format,
        undefined,
      ]);
    }
    expect(JSON.parse(await readFile(join(cwd, 'runs.jsonl'), 'utf8'))).toMatchObject({
      results: [{ profile: 'refund-agent', determined: true }],
    });
  });
});

describe('the lock file', () => {
  it('holds what was seen and what was not, and --frozen fails when less is seen', async () => {
    const cwd = await temporaryFolder();
    const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(REFUND_AGENT);
    const env = { K: token, STRIPE_SECRET_KEY: sandbox.secretKey.reveal() };
    const asked = ['refund-agent', '--key-env', 'K', '--api-base', sandbox.url];
    const lock = async (witness: string) => {
      expect((await runCli(['lock', ...asked, '--witness', witness], { cwd, env })).exitCode).toBe(0);
      return readFile(join(cwd, 'keyaudit.lock.yaml'), 'utf8');
    };
    const frozen = (witness: string) =>
      runCli(['verify', ...asked, '--frozen', '--witness', witness], { cwd, env });
    const both = await lock('both');
    expect(both).toMatch(/witness: both/);
    expect(both).not.toMatch(/unseen:/i);
    expect((await frozen('both')).exitCode).toBe(0);
    const less = await frozen('probes');
    expect(less.exitCode).toBe(1);
    expect(less.stdout).toMatch(/Less is seen than was agreed/);
    expect(await lock('probes')).toMatch(/unseen:\n(?: +- \w+\n)*? +- provisioning_project_write/);
    expect((await frozen('probes')).exitCode).toBe(0);
    expect((await frozen('both')).exitCode).toBe(0);
  });
});

describe('witnesses that contradict each other', () => {
  const verify = async (server: Sandbox) => {
    const { token } = await keyMaker(server.url, server.secretKey.reveal()).makeKey(REFUND_AGENT);
    const { exitCode, stdout } = await runCli(
      ['verify', 'refund-agent', '--key-env', 'K', '--api-base', server.url, '--format', 'json'],
      { cwd: await temporaryFolder(), env: { K: token, STRIPE_SECRET_KEY: server.secretKey.reveal() } },
    );
    const [result] = JSON.parse(stdout).results;
    return {
      exitCode,
      suspects: new Set(result.contradictions.map((one: { suspect: string }) => one.suspect)),
    };
  };

  it('a record that lacks what the key has', async () => {
    sandbox.behaviour.recordOmits = ['customer_read'];
    try {
      expect(await verify(sandbox)).toEqual({ exitCode: 1, suspects: new Set(['record']) });
    } finally {
      sandbox.behaviour.recordOmits = [];
    }
  });

  it('a row of the catalog that is wrong', async () => {
    const operations = catalog.operations.map((operation) =>
      operation.name === 'customers.list' ? { ...operation, permissions: ['payout_read'] } : operation,
    );
    const { source, apiVersion, permissions, implications } = catalog;
    const Other = catalog.constructor as new (data: object) => typeof catalog;
    const other = await startSandbox({
      catalog: new Other({ source, apiVersion, permissions, implications, operations }),
    });
    try {
      const { exitCode, suspects } = await verify(other);
      expect(exitCode).toBe(1);
      expect(suspects).toEqual(new Set(['catalog']));
    } finally {
      await other.close();
    }
  });
});
