import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { Catalog } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { runCli, temporaryFolder } from './support/run-cli.ts';

const folder = fileURLToPath(new URL('fixtures/call-lists/', import.meta.url));
const catalog = new Catalog(catalogData);

/** What the makers publish, in Stripe's names, and how the grant of their calls differs; docs/record.md says why. */
const LISTS: readonly {
  readonly file: string;
  /** Undefined where they publish none. */
  readonly published?: readonly string[];
  readonly more?: readonly string[];
  readonly fewer?: readonly string[];
}[] = [
  {
    file: 'firebase-extension.txt',
    published: [
      'customer_write',
      'checkout_session_write',
      'customer_portal_write',
      'subscription_read',
      'plan_read',
    ],
    more: ['ephemeral_key_write', 'payment_intent_write', 'payment_method_read', 'setup_intent_write'],
  },
  {
    file: 'woocommerce-gateway.txt',
    published: [
      'payment_intent_write',
      'setup_intent_write',
      'customer_write',
      'payment_method_write',
      'charge_write',
      'balance_transaction_source_read',
      'connected_account_read',
      'webhook_write',
      'payment_method_configurations_write',
      'source_read',
      'payment_method_domain_write',
    ],
    fewer: ['balance_transaction_source_read'],
  },
  {
    file: 'saleor-app.txt',
    published: ['payment_intent_write', 'customer_write', 'webhook_write', 'charge_write'],
    fewer: ['customer_write'],
  },
  {
    file: 'posthog-source.txt',
    published: [
      'balance_transaction_source_read',
      'charge_read',
      'customer_read',
      'dispute_read',
      'payout_read',
      'product_read',
      'credit_note_read',
      'invoice_read',
      'plan_read',
      'subscription_read',
      'connected_account_read',
    ],
    fewer: ['balance_transaction_source_read'],
  },
  {
    file: 'live-tips.txt',
    published: ['checkout_session_read', 'event_read', 'payment_links_write', 'product_write', 'plan_write'],
  },
  { file: 'stripe-mcp.txt' },
];

describe('the calls of public agents and integrations', () => {
  it('are all looked at', async () => {
    expect(LISTS.map(({ file }) => file).sort()).toEqual((await readdir(folder)).sort());
  });

  it.each(LISTS)('$file: the profile for them, beside what their makers publish', async (list) => {
    const { file, published, more = [], fewer = [] } = list;
    const text = await readFile(join(folder, file), 'utf8');
    expect(text).toMatch(/^# source: \S/m);
    expect(text).toMatch(/^# published in: \S/m);
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, 'calls.txt'), text);
    const imported = await runCli(['record', 'import', 'calls.txt', '--format', 'json'], { cwd });
    expect(JSON.parse(imported.stdout)).toMatchObject({ from: 'list', unread: [] });
    const made = await runCli(['record', 'profile', '--as', 'made', '--output', 'made.yaml'], { cwd });
    expect(made.exitCode, made.stderr).toBe(0);
    expect((await runCli(['profiles', 'lint', './made.yaml'], { cwd })).exitCode).toBe(0);
    const plan = await runCli(['plan', './made.yaml', '--format', 'json'], { cwd });
    const { permissions } = JSON.parse(plan.stdout) as { permissions: string[] };
    expect(permissions.length).toBeGreaterThan(2);
    if (published === undefined) return;
    const theirs = catalog.closure(published);
    const ours = catalog.closure(permissions);
    expect(permissions.filter((one) => !theirs.has(one))).toEqual(more);
    expect(published.filter((one) => !ours.has(one))).toEqual(fewer);
    // What differs is explained where people read it.
    const docs = await readFile(new URL('../docs/record.md', import.meta.url), 'utf8');
    for (const name of [...more, ...fewer]) expect(docs).toContain(`\`${name}\``);
  });
});
