/** What took the place of a call that Stripe's API had once; `undefined` where nothing did. */
export interface Successor {
  /** `POST /v1/refunds`; undefined: the call went without one. */
  readonly endpoint: string | undefined;
  /** A sentence. */
  readonly why: string;
}

/*
 * Paths and methods that older SDKs, tutorials and agents still write, from the upgrade notes of Stripe's API versions.
 * `{id}` stands for any segment; a path that ends in `/*` for all below it.
 */
const PATHS: readonly (readonly [call: string, endpoint: string | undefined, why: string])[] = [
  ['POST /v1/charges/{id}/refund', 'POST /v1/refunds', 'A refund is made by naming the charge.'],
  ['POST /v1/charges/{id}/refunds', 'POST /v1/refunds', 'A refund is made by naming the charge.'],
  ['GET /v1/charges/{id}/refunds', 'GET /v1/refunds', 'Refunds are listed with "charge" as a filter.'],
  ['GET /v1/charges/{id}/refunds/{id}', 'GET /v1/refunds/{id}', 'Refunds have ids of their own.'],
  ['POST /v1/charges/{id}/dispute', 'POST /v1/disputes/{id}', 'Disputes have ids of their own.'],
  ['POST /v1/charges/{id}/dispute/close', 'POST /v1/disputes/{id}/close', 'Disputes have ids of their own.'],
  ['GET /v1/charges/{id}/dispute', 'GET /v1/disputes/{id}', 'Disputes have ids of their own.'],
  [
    'GET /v1/balance/history',
    'GET /v1/balance_transactions',
    'The history of the balance is its transactions.',
  ],
  ['GET /v1/balance/history/{id}', 'GET /v1/balance_transactions/{id}', 'The history is its transactions.'],
  ['GET /v1/customers/{id}/subscriptions', 'GET /v1/subscriptions', 'Listed with "customer" as a filter.'],
  ['POST /v1/customers/{id}/subscriptions', 'POST /v1/subscriptions', 'Made by naming the customer.'],
  [
    'GET /v1/customers/{id}/subscriptions/{id}',
    'GET /v1/subscriptions/{id}',
    'Subscriptions have ids of their own.',
  ],
  [
    'POST /v1/customers/{id}/subscriptions/{id}',
    'POST /v1/subscriptions/{id}',
    'Subscriptions have ids of their own.',
  ],
  [
    'DELETE /v1/customers/{id}/subscriptions/{id}',
    'DELETE /v1/subscriptions/{id}',
    'Subscriptions have ids of their own.',
  ],
  ['POST /v1/customers/{id}/subscription', 'POST /v1/subscriptions', 'Made by naming the customer.'],
  [
    'DELETE /v1/customers/{id}/subscription',
    'DELETE /v1/subscriptions/{id}',
    'Subscriptions have ids of their own.',
  ],
  ['GET /v1/customers/{id}/cards', 'GET /v1/customers/{id}/sources', 'Cards are sources.'],
  ['POST /v1/customers/{id}/cards', 'POST /v1/customers/{id}/sources', 'Cards are sources.'],
  ['GET /v1/invoices/upcoming', 'POST /v1/invoices/create_preview', 'What is to come is previewed.'],
  ['GET /v1/invoices/upcoming/lines', 'POST /v1/invoices/create_preview', 'What is to come is previewed.'],
  [
    'POST /v1/subscription_items/{id}/usage_records',
    'POST /v1/billing/meter_events',
    'Usage is reported to meters.',
  ],
  [
    'GET /v1/subscription_items/{id}/usage_record_summaries',
    'GET /v1/billing/meters/{id}/event_summaries',
    'Usage is summed by meters.',
  ],
  [
    'GET /v1/issuer_fraud_records',
    'GET /v1/radar/early_fraud_warnings',
    'They are early fraud warnings now.',
  ],
  [
    'GET /v1/issuer_fraud_records/{id}',
    'GET /v1/radar/early_fraud_warnings/{id}',
    'They are early fraud warnings now.',
  ],
  [
    'POST /v1/application_fees/{id}/refund',
    'POST /v1/application_fees/{id}/refunds',
    'Fee refunds are a list.',
  ],
  ['POST /v1/transfers/{id}/reverse', 'POST /v1/transfers/{id}/reversals', 'Reversals are a list.'],
  ['POST /v1/transfers/{id}/cancel', 'POST /v1/payouts/{id}/cancel', 'What leaves to a bank is a payout.'],
  [
    'GET /v1/accounts/{id}/bank_accounts',
    'GET /v1/accounts/{id}/external_accounts',
    'They are external accounts.',
  ],
  [
    'POST /v1/accounts/{id}/bank_accounts',
    'POST /v1/accounts/{id}/external_accounts',
    'They are external accounts.',
  ],
  ['* /v1/orders/*', undefined, 'Orders were taken out of the API.'],
  ['* /v1/order_returns/*', undefined, 'Orders were taken out of the API.'],
  ['* /v1/skus/*', undefined, 'SKUs went with orders; prices say what is sold.'],
  ['* /v1/recipients/*', undefined, 'Recipients became connected accounts.'],
  ['* /v1/bitcoin/*', undefined, 'Bitcoin receivers were taken out of the API.'],
  ['* /v1/3d_secure/*', undefined, 'Payment intents ask for 3D Secure by themselves.'],
];

const METHODS: Readonly<Record<string, string>> = {
  'charges.refund': 'POST /v1/charges/{id}/refund',
  'balance.listTransactions': 'GET /v1/balance/history',
  'balance.retrieveTransaction': 'GET /v1/balance/history/{id}',
  'customers.listSubscriptions': 'GET /v1/customers/{id}/subscriptions',
  'customers.createSubscription': 'POST /v1/customers/{id}/subscriptions',
  'customers.updateSubscription': 'POST /v1/customers/{id}/subscriptions/{id}',
  'customers.cancelSubscription': 'DELETE /v1/customers/{id}/subscriptions/{id}',
  'invoices.retrieveUpcoming': 'GET /v1/invoices/upcoming',
  'invoices.listUpcomingLines': 'GET /v1/invoices/upcoming/lines',
  'subscriptionItems.createUsageRecord': 'POST /v1/subscription_items/{id}/usage_records',
  'subscriptionItems.listUsageRecordSummaries': 'GET /v1/subscription_items/{id}/usage_record_summaries',
  'usageRecords.create': 'POST /v1/subscription_items/{id}/usage_records',
};

const GONE = /^(orders|orderReturns|skus|recipients|bitcoinReceivers)\.\w+$/;

/**
 * The successor of a call that is no more, by its endpoint (any id in the path) or its stripe-node name; undefined for
 * every other text.
 */
export function successorOf(text: string): Successor | undefined {
  const call = METHODS[text] ?? (GONE.test(text) ? `GET /v1/${snake(text.split('.')[0] ?? '')}` : text);
  const endpoint = /^(?:(get|post|delete)\s+)?(?:https?:\/\/[^/]+)?(\/v1\/[^\s?#]*)/i.exec(call.trim());
  if (endpoint?.[2] === undefined) return undefined;
  const path = endpoint[2].replace(/\/+$/, '');
  const method = endpoint[1]?.toUpperCase();
  const found = PATHS.find(([known]) => {
    const [knownMethod = '', knownPath = ''] = known.split(' ');
    const isMethod = method === undefined || knownMethod === '*' || knownMethod === method;
    return isMethod && isPath(knownPath, path);
  });
  return found === undefined ? undefined : { endpoint: found[1], why: found[2] };
}

function isPath(template: string, path: string): boolean {
  if (template.endsWith('/*')) {
    const head = template.slice(0, -2);
    return path === head || path.startsWith(`${head}/`);
  }
  const wanted = template.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((segment, index) => segment === '{id}' || segment === given[index])
  );
}

function snake(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `POST /v1/refunds took its place. …`, or that nothing did. */
export function successorText({ endpoint, why }: Successor): string {
  return endpoint === undefined
    ? `${why} Nothing takes its place.`
    : `It is no more; "${endpoint}" took its place. ${why}`;
}
