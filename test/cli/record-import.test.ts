import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { scene } from '../support/scene.ts';

async function imported(text: string, options: readonly string[] = []) {
  const cwd = await temporaryFolder();
  await writeFile(join(cwd, 'calls'), text);
  const run = await runCli(['record', 'import', 'calls', ...options], { cwd });
  return { cwd, run };
}

async function profileJson(cwd: string, name = 'agent') {
  const { stdout } = await runCli(['record', 'profile', name, '--format', 'json'], { cwd });
  return JSON.parse(stdout) as { permissions: string[]; unseen: string[] };
}

describe('record import', () => {
  it('makes a recording that a profile can be made of, and says what it left out and what nobody told', async () => {
    const { cwd, run } = await imported('GET /v1/charges\nPOST /v1/ponies\nrefunds.create\n', [
      '--name',
      'n',
    ]);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).toMatch(/^calls \(list\): 2 calls in 1 run:\s/);
    expect(run.stdout).toContain('Left out: 1 line or entry.\n    2: no call that the catalog knows');
    expect(run.stdout).toContain('Not seen: A list tells neither how often');
    const { permissions, unseen } = await profileJson(cwd, 'n');
    expect(permissions).toEqual(['charge_write']);
    expect(unseen).toContain('1 line or entry of what was imported could not be read.');
  });

  it.each<[string, string, readonly string[], number, RegExp]>([
    ['nothing that could be read', 'GET /v1/ponies\n', [], 3, /holds no call to Stripe that could be read/],
    ['no format that is known', 'hello\n', [], 2, /is of no format that is known here/],
    ['another format than is said', 'GET /v1/charges\n', ['--from', 'har'], 3, /holds no call to Stripe/],
    ['an empty file', '', [], 2, /is of no format/],
  ])('%s: exit code and reason, no run file', async (_name, text, options, exitCode, message) => {
    const { cwd, run } = await imported(text, options);
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toMatch(message);
    expect(await readdir(cwd)).toEqual(['calls']);
  });

  const TOOLS = JSON.stringify({
    result: {
      tools: [
        { name: 'create_refund' },
        { name: 'list_customers' },
        { name: 'update_subscription' },
        { name: 'search_stripe_documentation' },
        { name: 'stripe_api_execute' },
        { name: 'sk_test_4242' },
      ],
    },
  });

  it('says which permissions the tools of an MCP server need, and which of them a key is shown', async () => {
    const { cwd, run } = await imported(TOOLS, ['--profile', 'refund-agent', '--format', 'json']);
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    const { tools, calls } = JSON.parse(run.stdout) as { tools: unknown[]; calls: number };
    expect(tools).toEqual([
      expect.objectContaining({
        tool: 'create_refund',
        permissions: ['charge_write'],
        shown: true,
        lacks: [],
      }),
      expect.objectContaining({
        tool: 'list_customers',
        permissions: ['customer_read'],
        shown: true,
        lacks: [],
      }),
      expect.objectContaining({
        tool: 'update_subscription',
        permissions: ['subscription_write'],
        shown: false,
        lacks: ['subscription_write'],
      }),
      expect.objectContaining({ tool: 'search_stripe_documentation', permissions: [], shown: true }),
      expect.not.objectContaining({ shown: expect.anything() }),
      expect.not.objectContaining({ shown: expect.anything() }),
    ]);
    expect(calls).toBe(3);
    expect((await profileJson(cwd)).permissions).toEqual([
      'charge_write',
      'customer_read',
      'subscription_write',
    ]);
    const table = await runCli(['record', 'import', 'calls', '--profile', 'refund-agent'], { cwd });
    expect(table.stdout).toContain('create_refund: needs charge_write; shown to refund-agent\n');
    expect(table.stdout).toMatch(
      /update_subscription: needs subscription_write; hidden from refund-agent, which\s+lacks\s+subscription_write/,
    );
    expect(table.stdout).toMatch(/stripe_api_execute: .*whether refund-agent is shown it\s+is\s+not\s+known/);
    expect(table.stdout + run.stdout).not.toContain('4242');
  });

  it('takes a profile for the tools of an MCP server alone', async () => {
    const { run } = await imported('GET /v1/charges\n', ['--profile', 'refund-agent']);
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(/--profile is for the tools of an MCP server, and this is list/);
  });

  it('reads standard input, and shows no line of it', async () => {
    const cwd = await temporaryFolder();
    const input = 'GET /v1/charges\njane@example.com sk_test_4242\n';
    const run = await runCli(['record', 'import', '-', '--format', 'json'], { cwd, input });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(JSON.parse(run.stdout)).toMatchObject({
      schema: 'keyaudit.record-import/1',
      from: 'list',
      calls: 1,
      unread: [{ line: 2, why: 'no call that the catalog knows' }],
    });
    const [file = ''] = (JSON.parse(run.stdout) as { files: string[] }).files;
    expect(run.stdout + (await readFile(file, 'utf8'))).not.toMatch(/jane|4242/);
  });

  it('a file that is not there is exit 2', async () => {
    const cwd = await temporaryFolder();
    expect(await runCli(['record', 'import', 'gone'], { cwd })).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('gone cannot be read'),
    });
  });
});

describe('record unused', () => {
  const PROFILE = `name: helper\nenv: HELPER_KEY\npermissions:\n  charges: read\n  customers: write\n`;

  it('says what was used, what not, and how the profile can be smaller; --fail-on-unused is a gate', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'helper.yaml'), PROFILE);
    await runCli(['record', 'import', '-', '--name', 'helper'], { cwd, input: 'charges.list\n' });
    const unused = (options: readonly string[], laterMs = 0) =>
      runCli(['record', 'unused', './helper.yaml', ...options], { cwd, laterMs });
    // Whether an imported run had the profile of today is not known.
    const unknown = await unused([]);
    expect(unknown.exitCode).toBe(0);
    expect(unknown.stdout).toMatch(/used +charge_read: used in 1 run/);
    expect(unknown.stdout).toMatch(
      /\? +customer_write: never used; whether it was granted then is not known/,
    );
    expect(unknown.stdout).not.toContain('+++ smaller');
    expect((await unused(['--fail-on-unused', '30d'])).exitCode).toBe(3);
    const known = await unused(['--unchanged']);
    expect(known.stdout).toMatch(/UNUSED +customer_write: never used/);
    expect(known.stdout).toContain('-  customers: write  # line 5');
    // Granted for less than 30 days: nothing is said yet.
    expect((await unused(['--unchanged', '--fail-on-unused', '30d'])).exitCode).toBe(0);
    const days = 86_400_000;
    await runCli(['record', 'import', '-', '--name', 'helper'], {
      cwd,
      input: 'charges.list\n',
      laterMs: 31 * days,
    });
    expect((await unused(['--unchanged', '--fail-on-unused', '30d'], 31 * days + 1_000)).exitCode).toBe(1);
    expect((await unused(['--unchanged', '--fail-on-unused', '30d'], 90 * days)).exitCode).toBe(3);
  });

  it.each<[string, readonly string[], number, RegExp]>([
    ['no recording', [], 3, /Nothing was recorded here under the name "helper"/],
    ['no profile', ['--name', 'x'], 3, /Nothing was recorded here under the name "x"/],
  ])('%s: exit %s', async (_name, options, exitCode, message) => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'helper.yaml'), PROFILE);
    const run = await runCli(['record', 'unused', './helper.yaml', ...options], { cwd });
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toMatch(message);
  });
});

describe('exec --record', () => {
  it('notes what the command called with the lent key, and what that key granted', async () => {
    const { cwd, run } = await scene();
    await writeFile(
      join(cwd, 'agent.mjs'),
      `const { KEYAUDIT_API_BASE: base, STRIPE_REFUND_AGENT_KEY: key } = process.env;
for (const path of ['/v1/charges', '/v1/payouts']) {
  const { status } = await fetch(base + path, { headers: { authorization: 'Bearer ' + key } });
  console.log(status);
}
process.exitCode = 5;`,
    );
    const ran = await run(['exec', 'refund-agent', '--record', '--', process.execPath, 'agent.mjs']);
    expect(ran).toMatchObject({ exitCode: 5, stdout: '200\n403\n' });
    expect(ran.stderr).toContain('Recorded 2 calls to Stripe');
    const shown = await runCli(['record', 'show', 'refund-agent', '--format', 'json'], { cwd });
    const [one] = (JSON.parse(shown.stdout) as { runs: { granted: string[]; calls: unknown[] }[] }).runs;
    expect(one?.granted).toContain('charge_write');
    expect(one?.calls).toHaveLength(2);
    const unused = await runCli(['record', 'unused', 'refund-agent'], { cwd });
    expect(unused.stdout).toMatch(/UNUSED +customer_read/);
  });
});

describe('permissions --format profile', () => {
  it('a list of calls becomes a profile in one command', async () => {
    const cwd = await temporaryFolder();
    const made = await runCli(
      ['permissions', 'GET /v1/charges', 'refunds.create', '--format', 'profile', '--name', 'helper'],
      { cwd },
    );
    expect(made).toMatchObject({ exitCode: 0, stderr: '' });
    await writeFile(join(cwd, 'helper.yaml'), made.stdout);
    expect((await runCli(['profiles', 'lint', './helper.yaml'], { cwd })).exitCode).toBe(0);
    const plan = await runCli(['plan', './helper.yaml', '--format', 'json'], { cwd });
    expect(JSON.parse(plan.stdout).permissions).toEqual(['charge_write']);
  });

  it.each<[readonly string[], number, RegExp]>([
    [['GET /v1/charges', 'GET /v1/ponies'], 2, /warning: GET \/v1\/ponies: /],
    [['GET /v1/ponies'], 2, /None of these calls needs a permission that is known/],
    [['GET /v1/charges', '--name', 'No Name'], 2, /No Name/],
  ])('%j: exit %i', async (words, exitCode, message) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['permissions', ...words, '--format', 'profile'], { cwd });
    expect(run.exitCode).toBe(exitCode);
    expect(run.stderr).toMatch(message);
  });
});
