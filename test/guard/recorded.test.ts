import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { BeyondSdk } from '../../src/core/catalog/beyond-sdk.ts';
import { beyondSdkRows } from '../../src/core/catalog/data/beyond-sdk.ts';
import { errorCodes } from '../../src/core/draft/runs/error-codes.ts';
import { GUARD_CODES } from '../../src/core/spend/exposure/guard-codes.ts';
import { withLastUse } from '../../src/session/evidence/last-use.ts';
import { guardLogFolder } from '../../src/store/guard-log/guard-folder.ts';
import { guardCatalog, guardedSandbox, REFUND_AGENT } from '../support/guard-scene.ts';
import { runCli } from '../support/run-cli.ts';
import { verifyResult } from '../support/verify-report-factory.ts';

/** Two runs of the refund agent by a guard, of which one also asks for what it may not and for too much. */
async function guardedRuns() {
  const cwd = await mkdtemp(join(tmpdir(), 'keyaudit-guarded-'));
  onTestFinished(() => rm(cwd, { recursive: true, force: true }));
  await mkdir(join(cwd, '.keyaudit'), { mode: 0o700 });
  const scene = await guardedSandbox({ folder: guardLogFolder(cwd) });
  const charge = await scene.direct('POST /v1/charges', {
    amount: 90_000,
    currency: 'usd',
    source: 'tok_visa',
  });
  const first = await scene.issue({ run: 'first' });
  const second = await scene.issue({ run: 'second' });
  const by = (key: string) => (line: string, form?: Record<string, string | number>) =>
    scene.ask(line, form, { key });
  const statuses = [
    await by(first.key)('GET /v1/charges?limit=1'),
    await by(first.key)('POST /v1/refunds', { charge: charge.body.id, amount: 4_217 }),
    await by(second.key)('GET /v1/charges?limit=1'),
    await by(second.key)('POST /v1/refunds', { charge: charge.body.id, amount: 1_000 }),
    await by(second.key)('POST /v1/refunds', { charge: charge.body.id, amount: 2_000 }),
    await by(second.key)('POST /v1/payouts', { amount: 1, currency: 'usd' }),
    await by(second.key)('POST /v1/refunds', { charge: charge.body.id, amount: 60_000 }),
  ].map(({ status }) => status);
  await scene.stop();
  const folder = guardLogFolder(cwd);
  const [day = ''] = await readdir(folder).then((names) => names.filter((name) => name.endsWith('.jsonl')));
  return { cwd, statuses, log: join(folder, day), folder };
}

describe('the words of recordings', () => {
  it('have every code that the guard refuses with', () => {
    const words = errorCodes();
    expect(GUARD_CODES.filter((code) => !words.has(code))).toEqual([]);
    expect([...words].filter((code) => code.startsWith('keyaudit_')).sort()).toEqual(
      GUARD_CODES.filter((code) => code.startsWith('keyaudit_')).sort(),
    );
  });
});

describe('the log of a guard that ran', () => {
  it('is imported as one run for each of the guard, and its caps hold for the same runs', async () => {
    const { cwd, statuses, log, folder } = await guardedRuns();
    expect(statuses).toEqual([200, 200, 200, 200, 200, 403, 403]);
    const imported = await runCli(['record', 'import', log, '--name', 'agent', '--format', 'json'], { cwd });
    expect(imported.exitCode, imported.stderr).toBe(0);
    expect(JSON.parse(imported.stdout)).toMatchObject({ from: 'guard', runs: 2, calls: 7, unread: [] });

    const made = await runCli(['record', 'profile', 'agent', '--format', 'json'], { cwd });
    const profile = JSON.parse(made.stdout);
    expect(profile).toMatchObject({
      runs: 2,
      permissions: ['charge_write'],
      refused: [{ operation: 'payouts.create' }],
      guard: {
        caps: [
          // One that a cap stopped was not made: it is not among what moved.
          { per: 'call', amount: ['43.00 usd'], of: ['out'] },
          { per: 'run', amount: ['43.00 usd'], calls: 2, of: ['out'] },
        ],
      },
    });
    const text = (profile.profileText as string)
      .replace(/^# (?=(?:guard:| {2}(?:only|caps|unpriced):| {4}- \{))/gm, '')
      .replace(/^# (?=(?:accept:| {2}- operations:| {6}- | {4}reason:))/gm, '');
    await mkdir(join(cwd, 'profiles'));
    await writeFile(join(cwd, 'profiles', 'agent.yaml'), text);
    const lint = await runCli(['profiles', 'lint', 'agent'], { cwd });
    expect(lint.exitCode, lint.stdout).toBe(0);
    const simulated = await runCli(['guard', 'simulate', folder, '--profile', 'agent'], { cwd });
    expect(simulated.exitCode, simulated.stdout).toBe(0);
  });

  it('says when what a profile grants was last used', async () => {
    const { cwd } = await guardedRuns();
    expect(REFUND_AGENT).toContain('customers: read');
    const [result] = await withLastUse(
      [verifyResult({ profile: 'agent', permissions: ['charge_write', 'customer_read'] })],
      {
        cwd,
        catalog: guardCatalog,
        beyondSdk: new BeyondSdk(beyondSdkRows, guardCatalog),
        now: () => new Date('2026-11-26T00:00:00Z'),
        stderr: { write: (text: string) => expect.fail(text) },
      } as unknown as Parameters<typeof withLastUse>[1],
    );
    expect(result?.lastUse).toMatchObject({
      witnesses: ['guard-log'],
      runs: 2,
      permissions: [
        { permission: 'customer_read', lastUsed: null, had: 2, state: 'unknown' },
        { permission: 'charge_write', runs: 2, lastUsed: '2026-11-25T12:00:00.000Z' },
      ],
    });
  });
});
