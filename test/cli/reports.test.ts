import { randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from 'sarif';
import { describe, expect, it } from 'vitest';
import { VERIFY_FORMATS } from '../../src/report/verify/formats.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

/** No key is found, so nothing is sent and every report says so. */
const VERIFY = ['verify', '--profile', 'analytics', '--target', 'stripe'];

const profileFile = (name: string) => `name: ${name}
permissions:
  balance: read
  charges: read
  customers: read
  invoices: read
  subscriptions: read
checks:
  forbid: [payouts.create]
`;

describe('verify --format, --output and --report', () => {
  it('writes every report asked for in one run', async () => {
    const cwd = await temporaryFolder();
    const run = await runCli(
      [...VERIFY, '--report', 'junit=a.xml', '--report', 'json=b.json', '--report', 'json=-'],
      { cwd },
    );
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toContain('could not be determined');
    expect(run.stdout).toContain('"schema": "keyaudit.verify/1"');
    expect(await readFile(join(cwd, 'a.xml'), 'utf8')).toContain('<error type="');
    expect(JSON.parse(await readFile(join(cwd, 'b.json'), 'utf8'))).toMatchObject({ ok: false });
    expect((await readdir(cwd)).sort()).toEqual(['a.xml', 'b.json']);
  });

  it.each<[string, readonly string[], RegExp]>([
    ['a wrong format', ['--format', 'jnuit'], /no format "jnuit"[\s\S]*Did you mean "junit"\?/],
    ['a wrong format of a report', ['--report', 'sraif=x'], /Did you mean "sarif"/],
    [
      'a format like none',
      ['--format', 'powerpoint'],
      /Valid: table, json, junit, sarif, gitlab, github, markdown, html/,
    ],
    ['no "="', ['--report', 'junit'], /names no file[\s\S]*--report junit=FILE/],
    ['no file', ['--report', 'junit='], /names no file/],
    ['no format', ['--report', '=x'], /no format ""/],
    [
      'one file twice',
      ['--report', 'junit=x', '--report', 'json=./x'],
      /Two reports would be written to \.\/x/,
    ],
    ['the file of --output', ['--output', 'x', '--report', 'json=x'], /Two reports/],
    ['a missing folder', ['--report', 'junit=none/x'], /none\/x cannot be written \(ENOENT\)/],
    ['a folder as the file', ['--output', 'folder'], /folder cannot be written \(EISDIR\)/],
  ])('refuses before any probe: %s', async (_title, args, message) => {
    const cwd = await temporaryFolder();
    await mkdir(join(cwd, 'folder'));
    const run = await runCli([...VERIFY, ...args], { cwd });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toMatch(message);
    expect(run.stdout).toBe('');
    expect(await readdir(cwd)).toEqual(['folder']);
  });

  it('annotates and adds to the job summary on GitHub, counting files from the checkout', async () => {
    const root = await temporaryFolder();
    const cwd = join(root, 'services', 'pay');
    await mkdir(join(cwd, 'profiles'), { recursive: true });
    await writeFile(join(cwd, 'profiles', 'mine.yaml'), 'name: mine\npermissions:\n  charges: read\n');
    await writeFile(join(root, 'summary.md'), '# Before\n');
    const args = ['verify', 'mine', '--target', 'stripe', '--report', 'github=-'];
    const env = { GITHUB_STEP_SUMMARY: join(root, 'summary.md'), GITHUB_WORKSPACE: root };
    const run = await runCli(args, { cwd, env });
    expect(run.exitCode).toBe(3);
    expect(run.stdout).toMatch(
      /^::error file=services\/pay\/profiles\/mine.yaml,line=1,col=1,title=mine%3A not determined::/m,
    );
    expect(await readFile(join(root, 'summary.md'), 'utf8')).toMatch(
      /^# Before\n## keyaudit verify: ❌ 1 profile not/,
    );
    const elsewhere = await runCli(args, { cwd, env: {} });
    expect(elsewhere.stdout).toMatch(/^::error file=profiles\/mine.yaml,/m);
  });

  it('shows the over-granted operation first wherever a broader key is looked at', async () => {
    const cwd = await temporaryFolder();
    const sandbox = await startSandboxServer(cwd);
    const asked = ['balance_read', 'charge_read', 'customer_read', 'invoice_read', 'subscription_read'];
    const exact = await sandbox.makeKey(asked);
    const broader = await sandbox.makeKey([...asked, 'payout_write']);
    await writeFile(join(cwd, 'a-exact.yaml'), profileFile('a-exact'));
    await writeFile(join(cwd, 'b-broader.yaml'), profileFile('b-broader'));
    const reports = ['junit=r.xml', 'sarif=r.sarif', 'html=r.html', 'github=github.txt'];
    const run = await runCli(
      [
        ...['verify', './a-exact.yaml', './b-broader.yaml', '--api-base', sandbox.url],
        ...reports.flatMap((report) => ['--report', report]),
      ],
      {
        cwd,
        env: {
          STRIPE_A_EXACT_KEY: exact.token,
          STRIPE_B_BROADER_KEY: broader.token,
          GITHUB_STEP_SUMMARY: 'summary.md',
        },
      },
    );
    expect(run.exitCode).toBe(1);
    const read = (name: string) => readFile(join(cwd, name), 'utf8');
    const operation = 'payouts.create';
    expect(/<testcase [^>]*name="([\w.]+)/.exec(await read('r.xml'))?.[1]).toBe(operation);
    const [result] = (JSON.parse(await read('r.sarif')) as Log).runs[0]?.results ?? [];
    expect(result).toMatchObject({ ruleId: 'over-grant/money-out', properties: { profile: 'b-broader' } });
    expect(result?.locations?.[0]?.logicalLocations?.[0]?.name).toBe(operation);
    const permission = 'payout_write';
    expect(/<li class="finding[^>]*>\s*<p .*?<code>(.*?)<\/code>/s.exec(await read('r.html'))?.[1]).toBe(
      permission,
    );
    expect(await read('github.txt')).toMatch(/^::error file=b-broader.yaml,.*?payout_write::/);
    expect(/\n\| `b-broader` \| `([\w.]+)`/.exec(await read('summary.md'))?.[1]).toBe(permission);
  });

  it('lets no secret into any report', async () => {
    const cwd = await temporaryFolder();
    const secret = `rk_test_${randomBytes(16).toString('hex')}`;
    await writeFile(join(cwd, 'p.yaml'), `name: ${secret}\nenv: THE_KEY\npermissions:\n  charges: read\n`);
    const sandbox = await startSandboxServer(cwd);
    const reports = VERIFY_FORMATS.flatMap((format) => [
      ['--report', `${format}=report.${format}`],
      ['--report', `${format}=-`],
    ]);
    const run = await runCli(
      ['verify', './p.yaml', '--verbose', '--api-base', sandbox.url, ...reports.flat()],
      {
        cwd,
        env: { THE_KEY: secret, GITHUB_STEP_SUMMARY: 'summary.md' },
      },
    );
    expect(run.exitCode).toBe(3);
    expect(run.stdout + run.stderr).not.toContain(secret);
    for (const name of [...VERIFY_FORMATS.map((format) => `report.${format}`), 'summary.md']) {
      const text = await readFile(join(cwd, name), 'utf8');
      expect(text, name).toContain('redacted');
      expect(text, name).not.toContain(secret);
    }
  });

  it('leaves the formats of the other commands as they are', async () => {
    const run = await runCli(['plan', 'analytics', '--format', 'junit'], { cwd: await temporaryFolder() });
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('Valid: table, json, markdown.');
  });
});
