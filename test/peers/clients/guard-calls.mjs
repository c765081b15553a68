// What an agent on stripe-node gets from the guard: a JSON line for each call, its step, class, code and status.
import { createInterface } from 'node:readline';
import Stripe from 'stripe';

const { BASE, KEY, KILLED, KILLME, CHARGE, EURO, CLIENT } = process.env;
const { hostname: host, port } = new URL(BASE);
const clientOf = (key, more = {}) =>
  new Stripe(key, { host, port, protocol: 'http', maxNetworkRetries: 1, telemetry: false, ...more });
const stripe = clientOf(KEY);

async function step(name, work) {
  const line = { step: name };
  try {
    Object.assign(line, { class: 'ok', id: await work({ step: `${CLIENT}-${name}` }) });
  } catch (error) {
    const { statusCode, code, message } = error;
    Object.assign(line, { class: error.constructor.name, status: statusCode, code, message });
  }
  console.log(JSON.stringify(line));
}
const refund = (amount, more = {}, options = {}, client = stripe) =>
  client.refunds.create({ charge: CHARGE, amount, ...more }, options).then(({ id }) => id);

const stages = {
  async calls() {
    await step('ok', (metadata) => refund(101, { metadata }));
    await step('over-cap', (metadata) => refund(999_999, { metadata }));
    await step('not-allowed', (metadata) =>
      stripe.charges.create({ amount: 5, currency: 'usd', source: 'tok_visa', metadata }),
    );
    await step('no-currency', (metadata) => stripe.refunds.create({ charge: EURO, amount: 5, metadata }));
    await step('repeated', (metadata) => refund(101, { metadata }));
    await step('amount-unknown', (metadata) =>
      stripe.refunds.create({ charge: 'ch_missing', amount: 5, metadata }),
    );
    await step('ambiguous', (metadata) => refund(-1, { metadata }));
    await step('unknown-operation', (metadata) => stripe.rawRequest('POST', '/v1/ponies', { metadata }));
    await step('other-content', async (metadata) => {
      const options = { idempotencyKey: `${CLIENT}-key` };
      await refund(102, {}, options);
      return refund(103, { metadata }, options);
    });
    await step('in-flight', async (metadata) => {
      const options = { idempotencyKey: `${CLIENT}-flight` };
      const both = [1, 2].map(() => refund(104, { metadata }, { ...options, maxNetworkRetries: 6 }));
      return [...new Set(await Promise.all(both))].join();
    });
    await step('answer-lost', (metadata) => refund(105, { metadata }));
    await step('stripe-cut', (metadata) => refund(106, { metadata }));
    await step('outcome-unknown', (metadata) => refund(107, { metadata }));
    await step('too-late', (metadata) => refund(108, { metadata }, { timeout: 2_000, maxNetworkRetries: 6 }));
    await step('stripe-busy', (metadata) => refund(109, { metadata }));
    await step('killed', (metadata) => refund(5, { metadata }, {}, clientOf(KILLED)));
    await step('no-run-key', (metadata) => refund(5, { metadata }, {}, clientOf('rk_test_123')));
    await step(
      'expand',
      async () => (await stripe.charges.retrieve(CHARGE, { expand: ['customer'] })).customer.object,
    );
    await step('expand-refused', () => stripe.charges.retrieve(CHARGE, { expand: ['balance_transaction'] }));
    await step('pages', async () => {
      let count = 0;
      for await (const _one of stripe.customers.list({ limit: 2 })) count += 1;
      return String(count);
    });
    await step('file', async () => {
      const file = { data: Buffer.from('evidence'), name: 'a.txt', type: 'text/plain' };
      return (await stripe.files.create({ purpose: 'dispute_evidence', file })).object;
    });
    await step('v2-pages', async () => {
      let count = 0;
      for await (const _one of stripe.v2.core.eventDestinations.list({ limit: 1 })) count += 1;
      return String(count);
    });
    await step('v2-missing', () => stripe.v2.core.eventDestinations.retrieve('ed_none'));
    await step('v2-refused', () => stripe.v2.core.eventDestinations.disable('ed_none'));
    await step('killed-on-its-way', (metadata) => refund(110, { metadata }, {}, clientOf(KILLME)));
    await step('killed-after', (metadata) => refund(111, { metadata }, {}, clientOf(KILLME)));
  },
  unreachable: () => step('unreachable', (metadata) => stripe.customers.create({ metadata })),
  unavailable: () => step('unavailable', (metadata) => stripe.customers.create({ metadata })),
};

for await (const stage of createInterface({ input: process.stdin })) {
  await stages[stage]();
  console.log(JSON.stringify({ step: 'end' }));
}
