import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { answerJson, startFaultyServer, stripeError } from '../support/faulty-server.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { startSandboxServer } from '../support/sandbox-server.ts';

const catalog = new Catalog(catalogData);

interface InspectJson {
  schema: string;
  ok: boolean;
  key: { mode: string; fingerprint: string; place: string };
  permissions: string[];
  inconclusive: string[];
  requests: number;
  details: { permission: string; state: string; evidence: string; operations: string[]; reason?: string }[];
  stopped?: { code: string; message: string };
}

describe('inspect', () => {
  it.each<[name: string, granted: readonly string[]]>([
    ['one read', ['charge_read']],
    ['a write', ['charge_write']],
    ['several', ['payment_intent_write', 'customer_read', 'webhook_write', 'payout_read', 'file_write']],
    ['nothing useful', ['shipping_rate_read']],
  ])('finds all that a key holds, and nothing else: %s', async (_name, granted) => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const { token } = await server.makeKey(granted);
    const options = ['--format', 'json', '--api-base', server.url];
    const run = await runCli(['inspect', ...options], { cwd, input: `${token}\n` });
    expect(run).toMatchObject({ exitCode: 0, stderr: '' });
    expect(run.stdout).not.toContain(token);
    const found = JSON.parse(run.stdout) as InspectJson;
    const effective = catalog.closure(granted);
    const telling = (name: string) => !found.inconclusive.includes(name);
    expect(found).toMatchObject({ schema: 'keyaudit.inspect/1', ok: true, key: { mode: 'test' } });
    expect([...found.permissions].sort()).toEqual([...effective].filter(telling).sort());
    for (const name of granted) expect(found.permissions).toContain(name);
    for (const one of found.details.filter(({ state }) => state === 'undetermined')) {
      expect(['no-operation', 'covered'], one.permission).toContain(one.reason);
    }
    const resolved = found.details.filter(({ state }) => state !== 'undetermined').length;
    expect(found.requests).toBeLessThanOrEqual(resolved + 10);
  });

  it('writes a profile that the key passes, and that plans to the same permissions', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const { token } = await server.makeKey(['charge_write', 'dispute_write', 'customer_read']);
    const env = { AGENT_KEY: token, KEYAUDIT_API_BASE: server.url };
    const args = ['inspect', '--key-env', 'AGENT_KEY', '--format', 'profile'];
    const run = await runCli([...args, '--profile-output', 'found.yaml', '--name', 'agent'], { cwd, env });
    expect(run.exitCode).toBe(0);
    expect(run.stdout).toBe(await readFile(join(cwd, 'found.yaml'), 'utf8'));
    expect(parse(run.stdout)).toMatchObject({ name: 'agent', permissions: { refunds: 'write' } });
    const verified = await runCli(
      ['verify', './found.yaml', '--key-env', 'AGENT_KEY', '--depth', 'endpoints'],
      { cwd, env },
    );
    expect(verified.stdout).toContain('as the profile says, as far as calls show: 664 probes, 664 passed');
    expect(verified.exitCode).toBe(0);
  });

  it.each<[what: string, input: string, exitCode: number, says: RegExp]>([
    ['a secret key', 'sk_test_abcdefgh12345678', 2, /holds a secret key/],
    ['a publishable key', 'pk_test_abcdefgh12345678', 2, /holds a publishable key/],
    ['a webhook signing secret', 'whsec_abcdefgh12345678', 2, /holds a webhook signing secret/],
    ['no key of Stripe', 'abcdefgh12345678', 2, /something that is no Stripe key/],
    ['nothing', '', 2, /Standard input holds no key/],
    ['a live key without --live', 'rk_live_abcdefgh12345678', 2, /holds a live key/],
    ['a dead key', 'rk_test_abcdefgh12345678', 3, /Stripe does not know this key \(HTTP 401\)/],
  ])('refuses %s, by its name', async (_what, input, exitCode, says) => {
    const cwd = await temporaryFolder();
    const run = await runCli(['inspect'], { cwd, input });
    expect(run.exitCode).toBe(exitCode);
    const text = `${run.stdout}${run.stderr}`;
    expect(text.replace(/\s+/g, ' ')).toMatch(says);
    if (input !== '') expect(text).not.toContain(input);
  });

  it('prints the plan before it asks with a live key', async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'quick.yaml'), 'expiryDelayMs: 0\n');
    await runCli(['provision', 'analytics', '--live'], { cwd });
    const text = await readFile(join(cwd, '.keyaudit', 'keys.env'), 'utf8');
    const token = /rk_live_\w+/.exec(text)?.[0] ?? '';
    expect(token).not.toBe('');
    const run = await runCli(['inspect', '--live', '--quiet'], { cwd, input: token });
    expect(run.exitCode).toBe(0);
    expect(run.stderr).toMatch(/^\d+ requests to http/);
    expect(run.stderr).toMatch(/\n {2}GET \/v1\/charges/);
  });

  it('is 3 with what it could find out when a part stays unanswered', async () => {
    const cwd = await temporaryFolder();
    const server = await startFaultyServer((request, response) => {
      if (request.url?.startsWith('/v1/webhook_endpoints'))
        answerJson(response, 402, stripeError('no', 'card_declined'));
      else answerJson(response, 403, stripeError('x', 'more_permissions_required'));
    });
    const run = await runCli(['inspect', '--format', 'json', '--api-base', server.url], {
      cwd,
      input: 'rk_test_abcdefgh12345678',
    });
    expect(run.exitCode).toBe(3);
    const found = JSON.parse(run.stdout) as InspectJson;
    expect(found).toMatchObject({ ok: false, permissions: [] });
    expect(found.inconclusive).toContain('webhook_read');
    expect(found.inconclusive).not.toContain('charge_read');
  });
});
