import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

/** Output with all white space folded, for matching prose that was wrapped. */
const folded = (text: string) => text.replace(/\s+/g, ' ');

async function folderWith(profiles: Readonly<Record<string, string>>): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  for (const [name, text] of Object.entries(profiles)) {
    await writeFile(join(cwd, 'profiles', `${name}.yaml`), text);
  }
  return cwd;
}

describe('permissions', () => {
  it('counts what calls expand', async () => {
    const cwd = await temporaryFolder();
    const rows: readonly [call: string, permissions: readonly string[], unresolved: RegExp | undefined][] = [
      ['GET /v1/charges?limit=1', ['charge_read'], undefined],
      [
        'GET /v1/charges?expand%5B%5D=data.customer&expand[1]=data.refunds',
        ['charge_read', 'customer_read'],
        undefined,
      ],
      [
        'paymentIntents.retrieve?expand[]=latest_charge.customer',
        ['charge_read', 'customer_read', 'payment_intent_read'],
        undefined,
      ],
      ['payouts.retrieve?expand[]=destination', ['connected_account_read', 'payout_read'], undefined],
      [
        'charges.list?expand[]=customer',
        [],
        /nothing to expand at "customer"\. Did you mean "data\.customer"\?/,
      ],
      ['charges.list?expand[]=data.nonsense', [], /nothing to expand at "data\.nonsense"\.$/],
    ];
    const runs = rows.map(([call]) => runCli(['permissions', call, '--format', 'json'], { cwd }));
    for (const [index, run] of (await Promise.all(runs)).entries()) {
      const [call, permissions, reason] = rows[index] ?? ['', [], undefined];
      const found = JSON.parse(run.stdout) as { permissions: string[]; unresolved: { reason: string }[] };
      expect([call, ...found.permissions]).toEqual([call, ...permissions]);
      expect(run.exitCode).toBe(reason === undefined ? 0 : 2);
      if (reason !== undefined) expect(found.unresolved[0]?.reason).toMatch(reason);
    }
  });

  it('says the smallest grant, and why one permission covers two calls', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(
      ['permissions', 'GET /v1/charges', 'POST /v1/refunds', 'paymentIntents.capture'],
      { cwd },
    );
    expect(run.exitCode).toBe(0);
    expect(run.stdout.split('\n')[0]).toBe('charge_write payment_intent_write');
    expect(folded(run.stdout)).toContain(
      '(Stripe\'s row "Charges and refunds") for charges.list, refunds.create: one permission for 2 calls',
    );
  });

  const spellings = [
    'paymentIntents.create',
    'payment_intents.create',
    'payment_intents create',
    'POST /v1/payment_intents',
    'post https://api.stripe.com/v1/payment_intents',
  ];
  it('takes every spelling of a call', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['permissions', ...spellings, '--format', 'json'], { cwd });
    const { permissions, endpoints } = JSON.parse(run.stdout) as {
      permissions: string[];
      endpoints: { operation: string }[];
    };
    expect(permissions).toEqual(['payment_intent_write']);
    expect(endpoints.map((one) => one.operation)).toEqual(spellings.map(() => 'paymentIntents.create'));
  });

  it('takes templates and concrete ids', async () => {
    const cwd = await temporaryFolder();
    const calls = [
      'post /v1/payment_intents/:id',
      '/v1/payment_intents/pi_123',
      'GET /v1/charges/{charge}',
      'GET /v1/charges/<id>',
    ];
    const run = await runCli(['permissions', ...calls, '--format', 'json'], { cwd });
    const { endpoints } = JSON.parse(run.stdout) as { endpoints: { operation: string }[] };
    expect(endpoints.map((one) => one.operation)).toEqual([
      'paymentIntents.update',
      'paymentIntents.retrieve',
      'charges.retrieve',
      'charges.retrieve',
    ]);
  });

  it('reads calls from a file and from standard input, and says what it could not resolve', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'calls.txt'), '# what the agent does\ncharges.list\n\nrefunds.create\n');
    const file = await runCli(['permissions', '--file', 'calls.txt'], { cwd });
    expect(file.stdout.split('\n')[0]).toBe('charge_write');
    const piped = await runCli(['permissions', '--file', '-'], {
      cwd,
      input: 'GET /v1/chrges\nradar.valueLists.create\ncustomers.list\n',
    });
    expect(piped.exitCode).toBe(2);
    expect(piped.stdout).toContain('Did you mean "GET /v1/charges"?');
    expect(folded(piped.stdout)).toContain('No permission is known for POST /v1/radar/value_lists');
    expect(piped.stdout.split('\n')[0]).toBe('customer_read');
    expect((await runCli(['permissions', '--file', 'none.txt'], { cwd })).exitCode).toBe(2);
    expect((await runCli(['permissions'], { cwd })).exitCode).toBe(2);
  });

  it('prints the whole catalog', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['permissions', '--all', '--format', 'json'], { cwd });
    const { endpoints, unresolved } = JSON.parse(run.stdout) as {
      endpoints: unknown[];
      unresolved: unknown[];
    };
    expect([endpoints.length, unresolved.length]).toEqual([522, 128]);
  });
});

describe('plan', () => {
  it('tells on one screen that there is no refund permission, and what follows', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['plan', 'refund-agent'], { cwd });
    expect(run.exitCode).toBe(0);
    expect(run.stdout.split('\n').length).toBeLessThan(45);
    const text = folded(run.stdout);
    expect(text).toContain('There is no refund permission at Stripe');
    expect(text).toContain('may also create and capture charges');
    expect(text).toContain('Dashboard: Core › Charges and refunds › write');
    expect(text).toContain('money-out: charge_write');
    expect(text).toContain(
      'https://dashboard.stripe.com/test/apikeys/create?name=refund-agent&permissions[]=rak_charge_write',
    );
    expect(text).toContain('live: https://dashboard.stripe.com/apikeys/create?');
  });

  it('keeps the contract of its JSON', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['plan', 'refund-agent', '--format', 'json'], { cwd });
    expect(JSON.parse(run.stdout)).toMatchObject({
      schema: 'keyaudit.plan/1',
      profile: 'refund-agent',
      permissions: ['charge_write', 'customer_read'],
      widenings: expect.arrayContaining([
        expect.objectContaining({
          cause: 'bundled',
          permission: 'charge_write',
          operations: ['charges.create', 'charges.update', 'charges.capture'],
          accepted: true,
        }),
      ]),
      risks: expect.arrayContaining([
        expect.objectContaining({ permission: 'charge_write', tier: 'money-out' }),
      ]),
      dashboardUrl: { test: expect.stringContaining('/test/'), live: expect.not.stringContaining('/test/') },
    });
  });
});

describe('the language', () => {
  it('refuses what Stripe cannot separate, before any request, with the ways out', async () => {
    const cwd = await folderWith({
      'no-charges': 'name: no-charges\npermissions:\n  refunds: write\nchecks:\n  forbid: [charges.create]\n',
      'cannot-list':
        'name: cannot-list\npermissions:\n  customers: read\nchecks:\n  allow: [invoices.list]\n',
    });
    const forbidden = await runCli(['provision', 'no-charges'], { cwd });
    expect(forbidden.exitCode).toBe(2);
    expect(folded(forbidden.stderr)).toMatch(
      /charges\.create cannot be forbidden to a key with "refunds: write", because Stripe has one permission, charge_write, for both\. → .*accept it by name/,
    );
    const allowed = await runCli(['verify', 'cannot-list'], { cwd });
    expect(allowed.exitCode).toBe(2);
    expect(allowed.stderr).toMatch(/profiles\/cannot-list\.yaml:5:\d+ .*invoices\.list/);
  });

  it('follows extends, overrides a level, and shows a cycle', async () => {
    const cwd = await folderWith({
      base: 'name: base\nenv: STRIPE_BASE_KEY\npermissions:\n  charges: read\n  customers: read\n',
      billing: 'name: billing\nenv: STRIPE_BILLING_KEY\npermissions:\n  invoices: read\n',
      both: 'name: both\nenv: STRIPE_BOTH_KEY\nextends: [base, billing]\npermissions:\n  customers: write\n  charges: none\n',
      a: 'name: a\nenv: STRIPE_A_KEY\nextends: b\n',
      b: 'name: b\nenv: STRIPE_B_KEY\nextends: a\n',
      orphan: 'name: orphan\nenv: STRIPE_ORPHAN_KEY\nextends: bsae\n',
    });
    const plan = await runCli(['plan', 'both', '--format', 'json'], { cwd });
    expect((JSON.parse(plan.stdout) as { permissions: string[] }).permissions).toEqual([
      'customer_write',
      'invoice_read',
    ]);
    const cycle = await runCli(['plan', 'a'], { cwd });
    expect(cycle.exitCode).toBe(2);
    expect(cycle.stderr).toMatch(/a → b → a/);
    expect((await runCli(['plan', 'orphan'], { cwd })).stderr).toMatch(/orphan\.yaml:3:\d+ .*bsae/);
  });

  it('counts an expired acceptance as absent', async () => {
    const profile = (until: string) =>
      `name: agent\nenv: STRIPE_AGENT_KEY\npermissions:\n  refunds: write\naccept:\n  - operations: [charges.create, charges.update, charges.capture]\n    reason: known\n    until: ${until}\n`;
    const past = await folderWith({ agent: profile('2020-01-01') });
    expect(folded((await runCli(['provision', 'agent'], { cwd: past })).stderr)).toContain(
      'which the profile does not accept',
    );
    expect((await runCli(['verify', 'agent', '--depth', 'permissions'], { cwd: past })).exitCode).toBe(1);
    const future = await folderWith({ agent: profile('2999-01-01') });
    expect((await runCli(['provision', 'agent'], { cwd: future })).stderr).toBe('');
    expect((await runCli(['verify', 'agent'], { cwd: future })).exitCode).toBe(0);
  });

  it('holds a strict widening to the letter', async () => {
    const body = 'name: agent\nenv: STRIPE_AGENT_KEY\npermissions:\n  charges: read\n';
    const cwd = await folderWith({ agent: `${body}widening: strict\n` });
    await runCli(['provision', 'agent'], { cwd });
    const strict = await runCli(['verify', 'agent', '--depth', 'endpoints', '--format', 'json'], { cwd });
    expect(strict.exitCode).toBe(1);
    expect(strict.stdout).toContain('"operation": "refunds.list"');
    await writeFile(join(cwd, 'profiles', 'agent.yaml'), body);
    expect((await runCli(['verify', 'agent', '--depth', 'endpoints'], { cwd })).exitCode).toBe(0);
  });

  it('refuses "only" where Stripe cannot give exactly that, and proves it on every endpoint where it can', async () => {
    const cwd = await folderWith({
      cannot: 'name: cannot\nenv: STRIPE_CANNOT_KEY\nonly: true\npermissions:\n  charges: read\n',
      can: 'name: can\nenv: STRIPE_CAN_KEY\nonly: true\npermissions:\n  coupons: read\n',
    });
    const refused = await runCli(['plan', 'cannot'], { cwd });
    expect(refused.exitCode).toBe(2);
    expect(folded(refused.stderr)).toMatch(/refunds/);
    await runCli(['provision', 'can'], { cwd });
    const run = await runCli(['verify', 'can', '--format', 'json'], { cwd });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toContain('"probes": 664');
  });

  it('takes raw permission names and connect_permissions', async () => {
    const cwd = await folderWith({
      agent:
        'name: agent\nenv: STRIPE_AGENT_KEY\npermissions:\n  transaction_read: read\nconnect_permissions:\n  charges: read\n',
    });
    const plan = await runCli(['plan', 'agent', '--format', 'json'], { cwd });
    expect(JSON.parse(plan.stdout)).toMatchObject({
      permissions: ['transaction_read'],
      connectPermissions: ['charge_read'],
    });
  });
});

describe('profiles lint', () => {
  it('reports all mistakes of all files at once, with their places', async () => {
    const cwd = await folderWith({
      bad: `name: bad agent
description: 5
env: 1BAD
permissions:
  chrges: read
  customers: reed
  refunds: { level: write, whyy: x }
  charge_write: read
checks:
  allow: [charges.lst]
  forbd: [x]
widening: strikt
`,
      broken: 'name: broken\npermissions: [\n',
    });
    const run = await runCli(['profiles', 'lint'], { cwd });
    expect(run.exitCode).toBe(2);
    const places = run.stdout.match(/profiles\/bad\.yaml:\d+:\d+/g);
    expect(new Set(places).size).toBe(10);
    expect(run.stdout).toMatch(/profiles\/broken\.yaml:\d+:\d+/);
    expect(run.stdout).toContain('Did you mean "charges"?');
  });

  const warnings: readonly [string, string, RegExp][] = [
    [
      'a permission that no check exercises',
      'permissions:\n  invoices: read\nchecks:\n  allow: [charges.list]\n',
      /invoices/,
    ],
    [
      'a forbid that nothing could violate',
      'permissions:\n  charges: read\nchecks:\n  allow: [charges.list]\n  forbid: [radar.value_lists.create]\n',
      /radar\.valueLists\.create/,
    ],
    [
      'an accept past its end',
      'permissions:\n  refunds: write\naccept:\n  - operations: [charges.create]\n    reason: x\n    until: 2020-01-01\n',
      /2020-01-01/,
    ],
    ['a risky grant without a why', 'permissions:\n  payouts: write\n', /payouts?.*why/i],
  ];
  it.each(warnings)('warns of %s', async (_name, body, message) => {
    const cwd = await folderWith({ agent: `name: agent\nenv: STRIPE_AGENT_KEY\n${body}` });
    const run = await runCli(['profiles', 'lint', 'agent', '--format', 'json'], { cwd });
    expect(run.stdout).toMatch(message);
    expect(run.stdout).toMatch(/"warnings": \[\s*\{/);
  });

  it('warns of a shared variable and of one that says nothing of the role', async () => {
    const body = 'permissions:\n  customers: read\n';
    const cwd = await folderWith({
      one: `name: one\nenv: STRIPE_KEY\n${body}`,
      two: `name: two\nenv: STRIPE_KEY\n${body}`,
    });
    const text = folded((await runCli(['profiles', 'lint'], { cwd })).stdout);
    expect(text).toMatch(/one.*two.*STRIPE_KEY|STRIPE_KEY.*(?:one|two)/);
    expect(text).toMatch(/says nothing of the role/);
  });

  it('finds nothing to say of the profiles that ship', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(['profiles', 'lint'], { cwd });
    expect(run).toMatchObject({ exitCode: 0 });
    expect(run.stdout).toContain('5 profiles, 0 mistakes, 0 warnings');
  });
});

describe('profiles show and list', () => {
  it('show a profile as it resolves, and where each lies', async () => {
    const cwd = await folderWith({
      mine: 'name: mine\nenv: STRIPE_MINE_KEY\nextends: analytics\npermissions:\n  customers: none\n',
    });
    const shown = await runCli(['profiles', 'show', 'mine', '--format', 'json'], { cwd });
    expect(shown.exitCode).toBe(0);
    expect(shown.stdout).toContain('charges');
    const list = await runCli(['profiles', 'list'], { cwd });
    expect(list.stdout).toContain('mine own, profiles/mine.yaml');
    expect((await runCli(['profiles', 'show', 'analytcs'], { cwd })).stderr).toContain(
      'Did you mean "analytics"?',
    );
  });
});
