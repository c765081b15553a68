import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { NODE, runCli, runProgram, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

/** An agent that calls what it is told to: `METHOD /path body` for each argument. */
const AGENT = `
const [, , ...calls] = process.argv;
const base = process.env.AGENT_BASE;
for (const call of calls) {
  const [method, path, body] = call.split(' ');
  const response = await fetch(base + path, {
    method,
    headers: { authorization: 'Bearer ' + process.env.AGENT_KEY },
    ...(body === undefined ? {} : { body: new URLSearchParams(body) }),
  });
  console.log(response.status);
  await response.text();
}
`;

interface Recording {
  readonly cwd: string;
  readonly sandbox: SandboxServer;
  /** Records the agent once. */
  record(calls: readonly string[], key?: string, options?: readonly string[]): ReturnType<typeof runCli>;
  /** What the run files hold, all of them. */
  files(): Promise<string>;
}

async function recording(): Promise<Recording> {
  const cwd = await temporaryFolder();
  const sandbox = await startSandboxServer(cwd);
  await writeFile(join(cwd, 'agent.mjs'), AGENT);
  return {
    cwd,
    sandbox,
    record: (calls, key = sandbox.secretKey, options = []) =>
      runProgram(['record', ...options, '--', NODE, 'agent.mjs', ...calls], {
        cwd,
        env: { AGENT_BASE: sandbox.url, AGENT_KEY: key },
      }),
    files: async () => {
      const folder = join(cwd, '.keyaudit', 'records');
      const names = await readdir(folder, { recursive: true, withFileTypes: true });
      const files = names.filter((entry) => entry.isFile());
      return (
        await Promise.all(files.map(({ name, parentPath }) => readFile(join(parentPath, name), 'utf8')))
      ).join('');
    },
  };
}

describe('case 76: an agent that shows nothing', () => {
  it.each<[string, readonly string[], string | undefined, RegExp]>([
    ['makes no call', [], undefined, /No call to Stripe was recorded/],
    ['has a dead key', ['GET /v1/charges'], 'sk_test_dead', /Every call was answered 401/],
    [
      'calls what nobody knows',
      ['GET /v1/ponies/pony_1'],
      undefined,
      /No call is one that the catalog knows/,
    ],
  ])('%s: exit 3, no profile', async (_name, calls, key, message) => {
    const { cwd, record } = await recording();
    expect((await record(calls, key)).exitCode).toBe(0);
    const profile = await runCli(['record', 'profile', '--output', 'p.yaml'], { cwd });
    expect(profile).toMatchObject({ exitCode: 3, stdout: '' });
    expect(profile.stderr).toMatch(message);
    expect(await readdir(cwd)).not.toContain('p.yaml');
  });

  it('was never recorded: exit 3 and the nearest name', async () => {
    const { cwd, record } = await recording();
    expect(await runCli(['record', 'profile'], { cwd })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('keyaudit record --name agent -- COMMAND'),
    });
    await record(['GET /v1/charges'], undefined, ['--name', 'billing']);
    expect(await runCli(['record', 'profile', 'biling'], { cwd })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringContaining('Did you mean "billing"?'),
    });
  });
});

describe('case 77: a run with 403s', () => {
  it('lists refused calls apart; --with-refused adds exactly their permissions', async () => {
    const { cwd, sandbox, record } = await recording();
    const { token } = await sandbox.makeKey(['charge_read']);
    const run = await record(['GET /v1/charges', 'POST /v1/payouts amount=5', 'GET /v1/balance'], token);
    expect(run).toMatchObject({ exitCode: 0, stdout: '200\n403\n403\n' });
    expect(run.stderr).toContain('Refused with 403: balance.retrieve, payouts.create');
    const permissionsOf = async (options: readonly string[]) => {
      const { stdout } = await runCli(['record', 'profile', '--format', 'json', ...options], { cwd });
      return (JSON.parse(stdout) as { permissions: string[] }).permissions;
    };
    expect(await permissionsOf([])).toEqual(['charge_read']);
    expect(await permissionsOf(['--with-refused'])).toEqual(['balance_read', 'charge_read', 'payout_write']);
    const shown = await runCli(['record', 'profile'], { cwd });
    expect(shown.stderr.replace(/\s+/g, ' ')).toContain(
      'Refused in every run, and left out (--with-refused takes them in): balance.retrieve, payouts.create.',
    );
  });

  it('and nothing else: exit 3, and with them a profile', async () => {
    const { cwd, sandbox, record } = await recording();
    const { token } = await sandbox.makeKey(['charge_read']);
    await record(['GET /v1/balance'], token);
    expect(await runCli(['record', 'profile'], { cwd })).toMatchObject({
      exitCode: 3,
      stderr: expect.stringMatching(/Every call was refused with 403/),
    });
    expect((await runCli(['record', 'profile', '--with-refused'], { cwd })).exitCode).toBe(0);
  });
});

describe('a recorded command', () => {
  it('keeps its output, exit code and signals', async () => {
    const cwd = await temporaryFolder();
    const run = (command: readonly string[]) =>
      runProgram(['record', '--quiet', '--', ...command], { cwd, input: 'in' });
    expect(await run(['sh', '-c', 'cat; echo err >&2; exit 7'])).toEqual({
      exitCode: 7,
      stdout: 'in',
      stderr: 'err\n',
    });
    expect((await run(['sh', '-c', 'kill -TERM $$'])).exitCode).toBe(143);
    expect((await run(['no-such-command'])).exitCode).toBe(127);
    expect(await runCli(['record'], { cwd })).toMatchObject({ exitCode: 2 });
  });

  it('is no verb of keyaudit, whatever it is called', async () => {
    const cwd = await temporaryFolder();
    const run = await runProgram(['record', '--', 'profile'], { cwd });
    expect(run).toMatchObject({
      exitCode: 127,
      stderr: expect.stringContaining('profile: command not found'),
    });
  });
});

describe('the gate', () => {
  it.each<[readonly string[], number]>([
    [[], 0],
    [['--min-runs', '2'], 0],
    [['--min-runs', '3'], 1],
    [['--max-new', '0.5'], 0],
    [['--max-new', '0.4'], 1],
  ])('%j: exit %i', async (options, exitCode) => {
    const { cwd, record } = await recording();
    await record(['GET /v1/charges']);
    await record(['GET /v1/charges', 'GET /v1/balance']);
    expect((await runCli(['record', 'profile', ...options], { cwd })).exitCode).toBe(exitCode);
  });
});

describe('the profile', () => {
  it('is the smallest for what was called and expanded, with its witnesses, and passes lint', async () => {
    const { cwd, record } = await recording();
    await record(['GET /v1/charges?expand[]=data.customer', 'POST /v1/refunds charge=ch_1']);
    await record(['GET /v1/charges']);
    const made = await runCli(['record', 'profile', '--as', 'helper', '--output', 'helper.yaml'], { cwd });
    expect(made.exitCode, made.stderr).toBe(0);
    const text = await readFile(join(cwd, 'helper.yaml'), 'utf8');
    expect(text).toMatch(/^ {2}charges: read # 2 of 2 runs, last \d{4}-\d\d-\d\d$/m);
    expect(text).toMatch(/^ {2}refunds: write # 1 of 2 runs, last/m);
    expect(text).toMatch(/^# accept:\n# {3}- operations:\n(?:# {7}- \S+\n)*# {7}- charges\.create$/m);
    expect((await runCli(['profiles', 'lint', './helper.yaml'], { cwd })).exitCode).toBe(0);
    const plan = await runCli(['plan', './helper.yaml', '--format', 'json'], { cwd });
    expect(JSON.parse(plan.stdout).permissions).toContain('charge_write');
  });
});

describe('case 78', () => {
  it('ids, emails and keys in paths and parameters are in no file', async () => {
    const { cwd, sandbox, record, files } = await recording();
    const secrets = ['cus_4242424242', 'jane@example.com', '4242424242424242', 'Jane%20Doe', 'pk_live_abc'];
    const run = await record([
      'GET /v1/customers/cus_4242424242?expand[]=jane@example.com',
      'GET /v1/customers/search?query=email:"jane@example.com"',
      `POST /v1/customers email=jane@example.com&name=Jane%20Doe&metadata[cus_4242424242]=jane@example.com`,
      'POST /v1/payment_methods card[number]=4242424242424242&jane@example.com=1',
      'GET /v1/jane@example.com/Jane%20Doe/4242424242424242/pk_live_abc/jane',
      'GET /v1/customers/jane?expand[]=jane.doe&jane_doe=1',
    ]);
    expect(run.exitCode).toBe(0);
    const text = `${await files()}${run.stderr}${(await runCli(['record', 'show'], { cwd })).stdout}`;
    for (const secret of [...secrets, sandbox.secretKey, 'Jane Doe', 'cus_4242', 'jane', 'doe']) {
      expect(text).not.toContain(secret);
    }
    expect(text).toContain('customers.retrieve');
  });
});
