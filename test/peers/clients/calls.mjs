// Calls that an agent's tests make, by the stripe-node in the folder that is named first; prints a line for each: its
// name, a tab, "ok" or what went wrong.
import { createRequire } from 'node:module';
import { join } from 'node:path';

const required = createRequire(join(process.argv[2], 'x.js'))('stripe');
const Stripe = required.default ?? required;
const { hostname, port } = new URL(process.env.STRIPE_BASE);
const stripe = new Stripe(process.env.STRIPE_KEY, {
  host: hostname,
  port: Number(port),
  protocol: 'http',
  maxNetworkRetries: 0,
  telemetry: false,
});
// The newest versions of the API choose the methods themselves.
const methods = process.env.STRIPE_NEWEST ? {} : { payment_method_types: ['card'] };
let customer;
let charge;
let price;
let subscription;
let intent;

const steps = {
  'customers.create': async () => {
    customer = await stripe.customers.create({
      email: 'node@example.com',
      metadata: { order: '17' },
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    });
    return (
      customer.metadata.order === '17' && typeof customer.created === 'number' && customer.livemode === false
    );
  },
  'charges.create': async () => {
    charge = await stripe.charges.create({ amount: 900, currency: 'usd', source: 'tok_visa' });
    return charge.amount === 900 && charge.paid === true;
  },
  'refunds.create': async () => {
    const refund = await stripe.refunds.create({ charge: charge.id, amount: 400 });
    return refund.amount === 400 && refund.charge === charge.id;
  },
  'charges.retrieve': async () => {
    const found = await stripe.charges.retrieve(charge.id, { expand: ['customer'] });
    return found.amount_refunded === 400;
  },
  'products.create and prices.create': async () => {
    const product = await stripe.products.create({ name: 'Gold' });
    price = await stripe.prices.create({
      currency: 'usd',
      product: product.id,
      recurring: { interval: 'month', interval_count: 3 },
      unit_amount: 2500,
    });
    return price.unit_amount === 2500 && price.recurring.interval_count === 3 && price.product === product.id;
  },
  'subscriptions.create': async () => {
    subscription = await stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: price.id, quantity: 2 }],
      cancel_at_period_end: true,
    });
    const [item] = subscription.items.data;
    return item.quantity === 2 && item.price.id === price.id && subscription.cancel_at_period_end === true;
  },
  'subscriptions.cancel': async () => {
    const cancel = stripe.subscriptions.cancel ?? stripe.subscriptions.del;
    return (await cancel.call(stripe.subscriptions, subscription.id)).status === 'canceled';
  },
  'checkout.sessions.create': async () => {
    const session = await stripe.checkout.sessions.create({
      mode: 'payment',
      ...methods,
      success_url: 'https://example.com/ok',
      cancel_url: 'https://example.com/no',
      line_items: [
        { quantity: 2, price_data: { currency: 'usd', unit_amount: 500, product_data: { name: 'T-shirt' } } },
      ],
    });
    return session.id.startsWith('cs_test_') && typeof session.url === 'string' && session.status === 'open';
  },
  'paymentIntents.create': async () => {
    intent = await stripe.paymentIntents.create({
      amount: 1200,
      currency: 'eur',
      ...methods,
      payment_method: 'pm_card_visa',
      confirm: true,
    });
    return intent.status === 'succeeded' && intent.amount_received === 1200;
  },
  'coupons.create': async () => {
    const coupon = await stripe.coupons.create({ duration: 'once', percent_off: 12.5 });
    return coupon.percent_off === 12.5 && coupon.valid === true;
  },
  'invoices.create': async () =>
    (await stripe.invoices.create({ customer: customer.id })).customer === customer.id,
  'customers.list': async () => {
    const names = [];
    for await (const one of stripe.customers.list({ limit: 1 })) names.push(one.id);
    return names.length === 1;
  },
  'customers.update': async () =>
    (await stripe.customers.update(customer.id, { name: 'Ada' })).name === 'Ada',
  'customers.del': async () => (await stripe.customers.del(customer.id)).deleted === true,
  'payouts.create is forbidden': async () => {
    try {
      await stripe.payouts.create({ amount: 1, currency: 'usd' });
      return false;
    } catch (error) {
      return error instanceof Stripe.errors.StripePermissionError && error.statusCode === 403;
    }
  },
};

for (const [name, work] of Object.entries(steps)) {
  let said = 'ok';
  try {
    if (!(await work())) said = 'the answer is not as it should be';
  } catch (error) {
    said = `${error.name}: ${error.message}`;
  }
  console.log(`${name}\t${JSON.stringify(said)}`);
}
