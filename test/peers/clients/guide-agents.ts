// The guide's five agents in TypeScript, as in guide_agents.py: jiti guide-agents.ts AGENT CHARGE CUSTOMER
import Stripe from 'stripe';

const { KEYAUDIT_API_BASE: base = '', AGENT_KEY: key = '', FETCH_CLIENT } = process.env;
const [, , agent = '', charge = '', customer = ''] = process.argv;
const { hostname: host, port } = new URL(base);
const stripe = new Stripe(key, {
  host,
  port,
  protocol: 'http',
  maxNetworkRetries: 0,
  telemetry: false,
  ...(FETCH_CLIENT ? { httpClient: Stripe.createFetchHttpClient() } : {}),
});
const since = Math.floor(Date.now() / 1000) - 30 * 86_400;

const agents: Readonly<Record<string, readonly (() => Promise<unknown>)[]>> = {
  'refund-agent': [
    () => stripe.customers.retrieve(customer),
    () => stripe.charges.retrieve(charge),
    () => stripe.refunds.create({ charge, amount: 100 }),
  ],
  analytics: [
    async () => {
      for await (const _one of stripe.charges.list({ created: { gte: since }, limit: 100 }));
    },
    ...(['customers', 'invoices', 'subscriptions', 'refunds', 'balanceTransactions'] as const).map(
      (resource) => async () => stripe[resource].list({ limit: 100 }),
    ),
  ],
  'subscription-manager': [
    () => stripe.customers.retrieve(customer),
    () => stripe.invoices.list({ customer, status: 'open' }),
    () => stripe.coupons.retrieve('WELCOME'),
    () => stripe.subscriptions.update('sub_1', { discounts: [{ coupon: 'WELCOME' }] }),
    () => stripe.subscriptions.update('sub_1', { cancel_at_period_end: true }),
  ],
  'payment-capture': [
    () => stripe.customers.retrieve(customer),
    () => stripe.paymentMethods.list({ customer, type: 'card' }),
    () =>
      stripe.paymentIntents.create({
        amount: 500,
        currency: 'usd',
        customer,
        payment_method: 'pm_card_visa',
        confirm: true,
        off_session: true,
      }),
    () => stripe.charges.retrieve(charge),
  ],
  'dispute-handler': [
    () => stripe.customers.retrieve(customer),
    () => stripe.charges.retrieve(charge),
    () =>
      stripe.files.create({
        purpose: 'dispute_evidence',
        file: { data: Buffer.from('a receipt'), name: 'receipt.pdf', type: 'application/pdf' },
      }),
    () => stripe.disputes.update('dp_1', { evidence: { customer_name: 'Jane Smith' }, submit: true }),
  ],
};

for (const work of agents[agent] ?? []) {
  await work().then(
    () => console.log('done'),
    (error: { statusCode?: number; code?: string }) => console.log(error.statusCode, error.code),
  );
}
