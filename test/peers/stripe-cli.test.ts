import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { findPeer, PEERS } from '../support/peer.ts';
import { runCli, temporaryFolder } from '../support/run-cli.ts';
import { type SandboxServer, startSandboxServer } from '../support/sandbox-server.ts';

const cli = await findPeer('stripe', "the sandbox asked by Stripe's command line", [
  join(PEERS, 'stripe-cli/node_modules/.bin'),
]);

interface Reply {
  readonly id?: string;
  readonly object?: string;
  readonly data?: readonly { readonly id: string }[];
  readonly has_more?: boolean;
  readonly error?: { readonly code?: string };
}

/** Runs `stripe`; the key comes by its variable. It exits 0 whatever the API answers, but on a dead key. */
async function stripe(
  args: readonly string[],
  { server, key, cwd }: { server: SandboxServer; key: string; cwd: string },
) {
  const run = await execa(cli.file, [...args, '--api-base', server.url], {
    cwd,
    env: {
      PATH: process.env.PATH ?? '',
      HOME: cwd,
      XDG_CONFIG_HOME: cwd,
      STRIPE_API_KEY: key,
      STRIPE_CLI_TELEMETRY_OPTOUT: '1',
    },
    extendEnv: false,
    reject: false,
  });
  const reply = run.stdout.startsWith('{') ? (JSON.parse(run.stdout) as Reply) : {};
  return { exitCode: run.exitCode, stdout: run.stdout, stderr: run.stderr, reply };
}

describe.skipIf(cli.missing)("Stripe's command line against keyaudit sandbox", () => {
  it('gets, posts, refunds, and shows refusals', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const writer = { server, key: (await server.makeKey(['charge_write'])).token, cwd };
    const reader = { server, key: (await server.makeKey(['charge_read'])).token, cwd };
    const form = ['-d', 'amount=900', '-d', 'currency=usd', '-d', 'source=tok_visa'];
    const charge = (await stripe(['post', '/v1/charges', ...form], writer)).reply;
    expect(charge).toMatchObject({ object: 'charge', amount: 900 });
    const refund = await stripe(['refunds', 'create', `--charge=${charge.id}`, '--amount=400'], writer);
    expect(refund.reply).toMatchObject({ object: 'refund', amount: 400, charge: charge.id });
    const got = await stripe(['get', `/v1/charges/${charge.id}`], reader);
    expect(got.reply).toMatchObject({ id: charge.id, amount_refunded: 400 });
    const refused = await stripe(['refunds', 'create', `--charge=${charge.id}`], reader);
    expect(refused.reply.error?.code).toBe('more_permissions_required');
    const alsoRefused = await stripe(['post', '/v1/charges', ...form], reader);
    expect(alsoRefused.reply.error?.code).toBe('more_permissions_required');
  });

  it('pages through charges', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const { token } = await server.makeKey(['charge_write']);
    const context = { server, key: token, cwd };
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      const body = new URLSearchParams({ amount: '100', currency: 'usd', source: 'tok_visa' });
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${server.url}/v1/charges`, { method: 'POST', headers, body });
      made.unshift(((await response.json()) as { id: string }).id);
    }
    const first = (await stripe(['charges', 'list', '--limit', '3'], context)).reply;
    expect(first.has_more).toBe(true);
    const after = first.data?.at(-1)?.id ?? '';
    const rest = (await stripe(['charges', 'list', '--limit', '3', '--starting-after', after], context))
      .reply;
    expect(rest.has_more).toBe(false);
    expect([...(first.data ?? []), ...(rest.data ?? [])].map(({ id }) => id)).toEqual(made);
  });

  it('says that an expired key has expired', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd, ['--set', 'expiryDelayMs=0']);
    const { id, token } = await server.makeKey(['charge_read']);
    await server.expireKey(id);
    const run = await stripe(['get', '/v1/charges'], { server, key: token, cwd });
    expect(run.exitCode).toBe(1);
    expect(run.stderr).toMatch(/has expired/);
  });

  it('resolves permissions as keyaudit permissions does', async () => {
    const cwd = await temporaryFolder();
    const server = await startSandboxServer(cwd);
    const calls = [
      'GET /v1/charges/:id?expand[]=balance_transaction',
      'POST /v1/payment_intents',
      'GET /v1/customers',
    ];
    const run = await stripe(['keys', 'permissions', ...calls], { server, key: server.secretKey, cwd });
    expect(run.exitCode, run.stderr).toBe(0);
    const listed = run.stdout.split('\n').filter((line) => line.startsWith('  '));
    const ours = await runCli(['permissions', ...calls, '--format', 'json'], { cwd });
    const { permissions } = JSON.parse(ours.stdout) as { permissions: string[] };
    expect(permissions).toEqual(expect.arrayContaining(['balance_read', 'payment_intent_write']));
    expect(listed.map((line) => line.trim()).sort()).toEqual([...permissions].sort());
  });
});
