import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { findPeer, PEERS } from '../support/peer.ts';
import { temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

const server = await findPeer('mcp', "the sandbox asked by the tools of Stripe's MCP server", [
  join(PEERS, 'stripe-mcp/node_modules/.bin'),
]);
const catalog = new Catalog(catalogData);
const preload = pathToFileURL(fileURLToPath(new URL('clients/mcp-to-sandbox.mjs', import.meta.url))).href;

/** What the tools name, and what they send for it. */
interface Known {
  readonly [name: string]: string;
}

interface Row {
  readonly tool: string;
  readonly operation: string;
  readonly input: (known: Known) => object;
}

const row = (tool: string, operation: string, input: Row['input'] = () => ({})): Row => ({
  tool,
  operation,
  input,
});

/** Each of the tools, in the order in which they can be called. */
const ROWS: readonly Row[] = [
  row('create_customer', 'customers.create', () => ({ name: 'Jenny', email: 'jenny@example.com' })),
  row('list_customers', 'customers.list', () => ({ email: 'jenny@example.com', limit: 3 })),
  row('create_product', 'products.create', () => ({ name: 'Gold', description: 'shines' })),
  row('list_products', 'products.list'),
  row('create_price', 'prices.create', ({ product }) => ({ product, unit_amount: 500, currency: 'usd' })),
  row('list_prices', 'prices.list', ({ product }) => ({ product })),
  row('create_payment_link', 'paymentLinks.create', ({ price }) => ({
    price,
    quantity: 2,
    redirect_url: 'https://example.com',
  })),
  row('create_invoice', 'invoices.create', ({ customer }) => ({ customer, days_until_due: 7 })),
  row('create_invoice_item', 'invoiceItems.create', ({ customer, price, invoice }) => ({
    customer,
    price,
    invoice,
  })),
  row('finalize_invoice', 'invoices.finalizeInvoice', ({ invoice }) => ({ invoice })),
  row('list_invoices', 'invoices.list', ({ customer }) => ({ customer })),
  row('retrieve_balance', 'balance.retrieve'),
  row('create_coupon', 'coupons.create', () => ({ name: 'less', amount_off: 100, currency: 'USD' })),
  row('list_coupons', 'coupons.list'),
  row('create_refund', 'refunds.create', ({ payment_intent }) => ({ payment_intent, amount: 100 })),
  row('list_payment_intents', 'paymentIntents.list', () => ({ limit: 1 })),
  row('update_subscription', 'subscriptions.update', ({ subscription, item }) => ({
    subscription,
    proration_behavior: 'none',
    items: [{ id: item, quantity: 3 }],
  })),
  row('list_subscriptions', 'subscriptions.list', () => ({ status: 'active' })),
  row('cancel_subscription', 'subscriptions.cancel', ({ subscription }) => ({ subscription })),
  row('list_disputes', 'disputes.list', ({ disputed }) => ({ payment_intent: disputed })),
  row('update_dispute', 'disputes.update', ({ dispute }) => ({
    dispute,
    evidence: { uncategorized_text: 'sent' },
    submit: true,
  })),
];

/** Asks its own host, api.stripe.com never. */
const LEFT_OUT = ['search_stripe_documentation'];

interface Answered {
  readonly text: string;
  /** `POST /v1/customers 200`: what it asked. */
  readonly asked: string;
}

/** The MCP server as a client starts it, talked to over its standard input. */
async function startServer(url: string, key: string) {
  const run = execa(process.execPath, ['--import', preload, server.file, '--tools=all'], {
    cwd: await temporaryFolder(),
    env: { PATH: process.env.PATH ?? '', SANDBOX_URL: url, STRIPE_SECRET_KEY: key },
    extendEnv: false,
    reject: false,
    buffer: false,
  });
  onTestFinished(async () => {
    run.kill();
    await run;
  });
  const answers = createInterface(run.stdout);
  const statuses: string[] = [];
  createInterface(run.stderr).on('line', (line) => {
    if (line.startsWith('answered\t')) statuses.push(line.split('\t').slice(1).join(' '));
  });
  let id = 0;
  const ask = async (method: string, params: object): Promise<Record<string, unknown>> => {
    id += 1;
    run.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    const [line] = (await Promise.race([
      once(answers, 'line'),
      run.then(({ exitCode }) => Promise.reject(new Error(`the MCP server ended: ${exitCode}`))),
    ])) as [string];
    const { result, error } = JSON.parse(line) as { result?: Record<string, unknown>; error?: object };
    if (result === undefined) throw new Error(`${method}: ${JSON.stringify(error)}`);
    return result;
  };
  await ask('initialize', {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  });
  run.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', method: 'notifications/initialized' })}\n`);
  return {
    tools: async () => ((await ask('tools/list', {})).tools as { name: string }[]).map(({ name }) => name),
    call: async (name: string, input: object): Promise<Answered> => {
      statuses.length = 0;
      const { content } = await ask('tools/call', { name, arguments: input });
      const text = (content as { text: string }[]).map((one) => one.text).join('\n');
      return { text, asked: statuses.join(', ') };
    },
  };
}

/** What no tool makes. */
async function prepare(url: string, key: string): Promise<Known> {
  const post = async (path: string, form: string) => {
    const response = await fetch(`${url}/v1/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/x-www-form-urlencoded' },
      body: form,
    });
    const body = (await response.json()) as { id: string; items: { data: { id: string }[] } };
    expect(response.status, JSON.stringify(body)).toBe(200);
    return body;
  };
  const paid = (card: string) =>
    post('payment_intents', `amount=900&currency=usd&confirm=true&payment_method=${card}`);
  const customer = await post(
    'customers',
    'payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa',
  );
  const price = await post(
    'prices',
    'currency=usd&unit_amount=700&recurring[interval]=month&product_data[name]=Silver',
  );
  const made = await post('subscriptions', `customer=${customer.id}&items[0][price]=${price.id}`);
  const disputed = (await paid('pm_card_createDispute')).id;
  const listed = await fetch(`${url}/v1/disputes?payment_intent=${disputed}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const { data } = (await listed.json()) as { data: { id: string }[] };
  return {
    payment_intent: (await paid('pm_card_visa')).id,
    subscription: made.id,
    item: made.items.data[0]?.id ?? '',
    disputed,
    dispute: data[0]?.id ?? '',
  };
}

describe.skipIf(server.missing)("Stripe's MCP server", () => {
  it('does with each tool what its key may, and is refused what it may not', async () => {
    const sandbox = await startSandbox({ catalog });
    onTestFinished(() => sandbox.close());
    const { makeKey } = keyMaker(sandbox.url, sandbox.shownSecretKey);
    const permissions = ROWS.map(({ operation }) => catalog.find(operation)?.permissions[0] ?? '');
    const allowed = await makeKey([...new Set(permissions)]);
    const forbidden = await makeKey(['top_up_read']);
    const [may, mayNot] = await Promise.all(
      [allowed, forbidden].map(({ token }) => startServer(sandbox.url, token)),
    );
    const known: Record<string, string> = { ...(await prepare(sandbox.url, sandbox.shownSecretKey)) };
    const tools = (await may?.tools()) ?? [];
    expect(tools.filter((name) => !LEFT_OUT.includes(name)).sort()).toEqual(
      ROWS.map(({ tool }) => tool).sort(),
    );
    const wrong: string[] = [];
    for (const { tool, operation, input } of ROWS) {
      const { method } = catalog.find(operation) ?? {};
      const refused = await mayNot?.call(tool, input(known));
      if (!refused?.text.includes('Failed to') || !new RegExp(`^${method} \\S+ 403$`).test(refused.asked))
        wrong.push(`${tool} forbidden: ${refused?.asked} ${refused?.text}`);
      const done = await may?.call(tool, input(known));
      if (done?.text.includes('Failed to') || !new RegExp(`^${method} \\S+ 200$`).test(done?.asked ?? ''))
        wrong.push(`${tool} allowed: ${done?.asked} ${done?.text}`);
      const made = /^create_(\w+)$/.exec(tool)?.[1];
      if (made !== undefined) known[made] = JSON.parse(done?.text ?? '{}').id ?? '';
      // A list that finds nothing would be as good as one that does not filter.
      if (tool.startsWith('list_') && JSON.parse(done?.text ?? '[]').length === 0)
        wrong.push(`${tool} lists nothing`);
    }
    expect(wrong).toEqual([]);
  });
});
