import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyThroughGuard } from '../../src/audit/verify-through-guard.ts';
import { SecretKey } from '../../src/core/secret-key.ts';
import { guardedSandbox, probeSession, profileGrant } from '../support/guard-scene.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';

const ON_CONNECT = `
permissions: { charges: read }
connect_permissions: { charges: read, refunds: write }
widening: report
guard: { accounts: [acct_1Ours], caps: [{ per: run, amount: 500.00 usd }] }
`;

describe('verify --through-guard', () => {
  it('asks the Connect side with an account that the profile names, and of no other does anything pass', async () => {
    const made = await guardedSandbox({ profiles: { agent: ON_CONNECT } });
    const { key } = await made.issue();
    const grant = profileGrant('agent', ON_CONNECT);
    const session = probeSession(made.url);
    const under = { url: made.url, key: SecretKey.of(key) };
    const whole = await verifyThroughGuard(grant, under, session);
    expect([whole.result.account, whole.result.findings, whole.result.stopped]).toEqual([
      'acct_1Ours',
      [],
      undefined,
    ]);
    const passed = whole.probes.filter(({ connect, expected }) => connect && expected === 'allowed');
    expect(passed.map(({ operation }) => operation)).toEqual(
      expect.arrayContaining(['charges.list', 'refunds.create']),
    );
    expect(
      whole.result.closedByGuard.filter(({ connect }) => connect).map(({ operation }) => operation),
    ).toContain('charges.create');
    const stranger = await verifyThroughGuard(grant, { ...under, account: 'acct_1Theirs' }, session);
    expect(stranger.result.findings).toEqual([]);
    expect(stranger.probes.some(({ connect, expected }) => connect && expected === 'allowed')).toBe(false);

    // One hole, on the Connect side alone.
    const served = made.guard.profiles.get('agent');
    if (served === undefined) throw new Error('not served');
    const connect = new Set([...served.through.connect, 'customers.list']);
    made.guard.profiles.replace({ ...served, digest: 'hole', through: { ...served.through, connect } });
    const { key: fresh } = await made.issue();
    const { result } = await verifyThroughGuard(grant, { ...under, key: SecretKey.of(fresh) }, session);
    expect(result.findings.map((one) => [one.kind, one.operation, one.connect])).toEqual([
      ['over-grant', 'customers.list', true],
    ]);
  });

  it('reports in every format of verify, with the run key for the key', async () => {
    const cwd = await temporaryFolder();
    const others = ['junit', 'sarif', 'gitlab', 'github', 'markdown', 'html', 'json'];
    const reports = others.flatMap((format) => ['--report', `${format}=out.${format}`]);
    const run = await runCli(['verify', 'refund-agent', '--through-guard', ...reports], { cwd });
    expect(run.exitCode, run.stderr).toBe(0);
    expect(run.stdout).toContain('closed by the guard, although the key allows it');
    const texts = await Promise.all(others.map((format) => readFile(join(cwd, `out.${format}`), 'utf8')));
    const [junit = '', sarif = '', gitlab = '', , markdown = '', html = '', json = ''] = texts;
    const { results } = JSON.parse(json) as {
      results: { summary: { probes: number }; closedByGuard: unknown[] }[];
    };
    expect(junit).toContain(`tests="${results[0]?.summary.probes}" failures="0" errors="0"`);
    expect(junit).toMatch(/<property name="key-id" value="run_\w+"\/>/);
    expect(JSON.parse(sarif)).toMatchObject({ runs: [{ results: [] }] });
    expect(JSON.parse(gitlab)).toEqual([]);
    for (const text of [junit, markdown, html]) expect(text).toContain('Asked through the guard at');
    expect(results[0]?.closedByGuard.length).toBeGreaterThan(2);
  });
});
