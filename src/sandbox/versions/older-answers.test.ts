import { afterAll, beforeAll, expect, it } from 'vitest';
import { Catalog } from '../../core/catalog/catalog.ts';
import { catalogData } from '../../core/catalog/data/catalog.ts';
import { type Sandbox, startSandbox } from '../sandbox.ts';

const catalog = new Catalog(catalogData);
let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await startSandbox({ catalog });
});
afterAll(() => sandbox.close());

// biome-ignore lint/suspicious/noExplicitAny: what older clients read has no types here
type Body = any;

async function ask(
  version: string,
  call: string,
  form = '',
): Promise<{ status: number; body: Body; lacking: string | null }> {
  const [method = '', path = ''] = call.split(' ');
  const isGet = method === 'GET';
  const response = await fetch(`${sandbox.url}${path}${isGet && form !== '' ? `?${form}` : ''}`, {
    method,
    headers: {
      authorization: `Bearer ${sandbox.shownSecretKey}`,
      'stripe-version': version,
      'content-type': 'application/x-www-form-urlencoded',
    },
    ...(isGet ? {} : { body: form }),
  });
  const lacking = response.headers.get('x-keyaudit-not-modelled');
  return { status: response.status, body: await response.json(), lacking };
}

async function made(version: string, call: string, form = ''): Promise<Body> {
  const { status, body } = await ask(version, call, form);
  expect(status, JSON.stringify(body)).toBe(200);
  return body;
}

async function subscribed(version: string, more = ''): Promise<Body> {
  const price = await made(
    version,
    'POST /v1/prices',
    'currency=usd&unit_amount=1500&recurring[interval]=month&product_data[name]=Gold',
  );
  const customer = await made(
    version,
    'POST /v1/customers',
    'payment_method=pm_card_visa&invoice_settings[default_payment_method]=pm_card_visa',
  );
  const items = `customer=${customer.id}&items[0][price]=${price.id}`;
  return made(version, 'POST /v1/subscriptions', `${items}&expand[]=latest_invoice.payment_intent${more}`);
}

it('an invoice has its payment intent, its subscription and whether it is paid, expanded on the way', async () => {
  const subscription = await subscribed('2023-10-16');
  const invoice = subscription.latest_invoice;
  expect(invoice).toMatchObject({ paid: true, subscription: subscription.id, discount: null });
  expect(invoice.payment_intent).toMatchObject({
    object: 'payment_intent',
    status: 'succeeded',
    invoice: invoice.id,
  });
  expect(invoice.lines.data[0]).toMatchObject({
    type: 'subscription',
    price: { object: 'price', unit_amount: 1500 },
  });
  expect(subscription.current_period_end).toBeGreaterThan(subscription.current_period_start);
  const now = await made('2026-10-28.endive', `GET /v1/invoices/${invoice.id}`);
  for (const name of ['paid', 'payment_intent', 'subscription', 'charge'])
    expect(now).not.toHaveProperty(name);
});

it('a coupon and a promotion code are taken where they were, and take off', async () => {
  await made('2023-10-16', 'POST /v1/coupons', 'id=half&percent_off=50&duration=once');
  const code = await made('2023-10-16', 'POST /v1/promotion_codes', 'coupon=half&code=HALF');
  expect(code.coupon).toMatchObject({ id: 'half', percent_off: 50 });
  for (const by of ['&coupon=half', `&promotion_code=${code.id}`]) {
    const subscription = await subscribed('2023-10-16', by);
    expect(subscription.latest_invoice.total).toBe(750);
  }
  const wrong = await ask('2023-10-16', 'POST /v1/subscriptions', 'customer=cus_x&coupon=zzz');
  expect(wrong.status).toBe(400);
});

it('a customer has a discount, which is on each invoice that has none of its own', async () => {
  const version = '2023-10-16';
  await made(version, 'POST /v1/coupons', 'id=fifth&percent_off=20&duration=forever');
  const { id } = await made(version, 'POST /v1/customers', 'source=tok_visa&coupon=fifth');
  const read = () => made(version, `GET /v1/customers/${id}`, 'expand[]=discount.coupon');
  expect((await read()).discount).toMatchObject({ coupon: { id: 'fifth' }, customer: id });
  const price = await made(
    version,
    'POST /v1/prices',
    'currency=usd&unit_amount=1000&recurring[interval]=month&product_data[name]=Gold',
  );
  const subscribe = `customer=${id}&items[0][price]=${price.id}&expand[]=latest_invoice`;
  const { latest_invoice: first } = await made(version, 'POST /v1/subscriptions', subscribe);
  expect([first.subtotal, first.total]).toEqual([1000, 800]);
  expect((await made(version, 'POST /v1/invoices', `customer=${id}`)).discounts).toHaveLength(1);
  expect(await made(version, `DELETE /v1/customers/${id}/discount`)).toMatchObject({ deleted: true });
  expect((await read()).discount).toBeNull();
  const { latest_invoice: second } = await made(version, 'POST /v1/subscriptions', subscribe);
  expect(second.total).toBe(1000);
  const wrong = await ask(version, `POST /v1/customers/${id}`, 'coupon=zzz');
  expect([wrong.status, wrong.body.error.message]).toEqual([400, "No such coupon: 'zzz'"]);
  const code = await made(version, 'POST /v1/promotion_codes', 'coupon=fifth');
  const again = await made(version, `POST /v1/customers/${id}`, `promotion_code=${code.id}`);
  expect(again.discount.promotion_code).toBe(code.id);
  expect((await made(version, `POST /v1/customers/${id}`, 'coupon=')).discount).toBeNull();
});

it('one plan is subscribed to, and what comes to nothing is named in the header', async () => {
  const customer = await made('2020-08-27', 'POST /v1/customers', 'source=tok_visa');
  const plan = await made(
    '2020-08-27',
    'POST /v1/plans',
    'amount=900&currency=usd&interval=month&product[name]=Gold',
  );
  const call = `customer=${customer.id}&plan=${plan.id}&quantity=2`;
  const { items } = await made('2020-08-27', 'POST /v1/subscriptions', call);
  expect(items.data).toMatchObject([{ quantity: 2 }]);
  const update = await ask('2020-08-27', `POST /v1/customers/${customer.id}`, 'trial_end=now&name=Ada');
  expect([update.status, update.lacking]).toEqual([200, expect.stringContaining('the parameter trial_end')]);
  const now = await ask('2026-10-28.endive', `POST /v1/customers/${customer.id}`, 'name=Ada');
  expect([now.status, now.lacking]).toEqual([200, null]);
});

it('an invoice item has a price, and a payment intent its charges, as long as it had them', async () => {
  const { id: customer } = await made('2022-08-01', 'POST /v1/customers');
  const price = await made(
    '2022-08-01',
    'POST /v1/prices',
    'currency=usd&unit_amount=700&product_data[name]=x',
  );
  const item = await made(
    '2022-08-01',
    'POST /v1/invoiceitems',
    `customer=${customer}&price=${price.id}&quantity=2`,
  );
  expect(item).toMatchObject({ amount: 1400, price: { id: price.id }, unit_amount: 700 });
  const paid = 'amount=500&currency=usd&payment_method=pm_card_visa&payment_method_types[]=card&confirm=true';
  const intent = await made('2022-08-01', 'POST /v1/payment_intents', paid);
  expect(intent.charges).toMatchObject({ object: 'list', data: [{ amount: 500, refunds: { data: [] } }] });
  expect(await made('2022-11-15', `GET /v1/payment_intents/${intent.id}`)).not.toHaveProperty('charges');
});

it('usage is reported and summed up, and the upcoming invoice is there', async () => {
  const subscription = await subscribed('2024-06-20');
  const path = `/v1/subscription_items/${subscription.items.data[0].id}`;
  for (const form of [
    'quantity=3&timestamp=10',
    'quantity=4&timestamp=20',
    'quantity=5&timestamp=20&action=set',
  ])
    expect((await made('2024-06-20', `POST ${path}/usage_records`, form)).object).toBe('usage_record');
  const { data } = await made('2025-02-24.acacia', `GET ${path}/usage_record_summaries`);
  expect(data).toMatchObject([{ object: 'usage_record_summary', total_usage: 8 }]);
  expect((await ask('2024-06-20', `POST ${path}/usage_records`)).body.error.param).toBe('quantity');
  expect((await ask('2025-03-31.basil', `POST ${path}/usage_records`, 'quantity=3')).status).toBe(404);
  const upcoming = await made('2024-06-20', 'GET /v1/invoices/upcoming', `customer=${subscription.customer}`);
  expect(upcoming.object).toBe('invoice');
  const lines = await ask(
    '2024-06-20',
    'GET /v1/invoices/upcoming/lines',
    `customer=${subscription.customer}`,
  );
  expect([lines.status, lines.lacking]).toEqual([
    200,
    expect.stringContaining('the lines of an upcoming invoice'),
  ]);
  expect((await ask('2025-03-31.basil', 'GET /v1/invoices/upcoming')).status).toBe(404);
});

it('sources and tokens pay', async () => {
  const card = 'card[number]=4242424242424242&card[exp_month]=12&card[exp_year]=2030&card[cvc]=123';
  const token = await made('2020-08-27', 'POST /v1/tokens', card);
  expect(token.card).toMatchObject({ object: 'card', last4: '4242' });
  const charge = await made('2020-08-27', 'POST /v1/charges', `amount=500&currency=usd&source=${token.id}`);
  expect(charge).toMatchObject({ paid: true, payment_method_details: { card: { last4: '4242' } } });
  const customer = await made('2020-08-27', 'POST /v1/customers', 'source=tok_visa');
  expect(
    await made('2020-08-27', `POST /v1/customers/${customer.id}/sources`, 'source=tok_mastercard'),
  ).toMatchObject({
    object: 'card',
    last4: '4444',
  });
  const declines = card.replace('4242424242424242', '4000000000000002');
  const no = await made('2020-08-27', 'POST /v1/tokens', declines);
  expect((await ask('2020-08-27', 'POST /v1/charges', `amount=5&currency=usd&source=${no.id}`)).status).toBe(
    402,
  );
});
