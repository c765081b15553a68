import { describe, expect, it } from 'vitest';
import { Catalog, type OperationName } from './catalog.ts';
import { catalogData } from './data/catalog.ts';
import { decodeFields, type ExpandableField, Expansions, encodeField, lackingReads } from './expansion.ts';

const catalog = new Catalog(catalogData);
const expansions = new Expansions(catalog);

function find(operation: OperationName, path: string) {
  const known = catalog.operation(operation);
  if (known === undefined) throw new Error(`no operation ${operation}`);
  return expansions.find(known, path);
}

describe('what expand[] takes to read', () => {
  const rows: readonly [operation: OperationName, path: string, reads: readonly string[]][] = [
    ['charges.retrieve', 'customer', ['customers.retrieve']],
    ['charges.list', 'data.customer', ['customers.retrieve']],
    ['charges.search', 'data.customer', ['customers.retrieve']],
    ['charges.create', 'balance_transaction', ['balanceTransactions.retrieve']],
    [
      'paymentIntents.retrieve',
      'latest_charge.balance_transaction',
      ['charges.retrieve', 'balanceTransactions.retrieve'],
    ],
    // Lists that are there on request only.
    ['charges.retrieve', 'refunds', ['refunds.retrieve']],
    ['charges.retrieve', 'refunds.data.payment_intent', ['refunds.retrieve', 'paymentIntents.retrieve']],
    ['customers.retrieve', 'subscriptions', ['subscriptions.retrieve']],
    // What lies below its object in a path of its own is read there.
    ['customers.retrieve', 'tax_ids', ['customers.listTaxIds']],
    ['customers.retrieve', 'sources', ['customers.listSources']],
    ['customers.retrieve', 'cash_balance', ['customers.retrieveCashBalance']],
    ['checkout.sessions.retrieve', 'line_items', ['checkout.sessions.listLineItems']],
    // What is always there takes nothing.
    ['subscriptions.retrieve', 'items', []],
    ['subscriptions.retrieve', 'items.data.price.product', ['products.retrieve']],
    ['charges.retrieve', 'billing_details', []],
    ['checkout.sessions.retrieve', 'total_details.breakdown', []],
    ['subscriptions.create', 'latest_invoice.confirmation_secret', ['invoices.retrieve']],
    // Within a part, in an array, and one of several kinds.
    ['disputes.retrieve', 'evidence.receipt', ['files.retrieve']],
    ['invoices.retrieve', 'discounts', []],
    ['invoices.retrieve', 'account_tax_ids', ['taxIds.retrieve']],
    ['payouts.retrieve', 'destination', ['accounts.retrieveExternalAccount|customers.retrieveSource']],
    // Nothing reads an application by itself.
    ['applicationFees.retrieve', 'application', []],
    ['issuing.cards.retrieve', 'number', []],
  ];
  it.each(rows)('%s %s', (operation, path, reads) => {
    const found = find(operation, path)?.reads.map((readers) => readers.map(({ name }) => name).join('|'));
    expect(found).toEqual(reads);
  });

  const unknown: readonly [OperationName, string][] = [
    ['charges.retrieve', 'nonsense'],
    ['charges.retrieve', 'metadata'],
    ['charges.retrieve', 'amount'],
    ['charges.retrieve', ''],
    ['charges.retrieve', 'customer.'],
    ['charges.retrieve', 'data.customer'],
    ['charges.list', 'customer'],
    ['charges.list', 'url'],
    ['charges.retrieve', 'constructor'],
    ['charges.retrieve', '__proto__'],
    ['charges.retrieve', 'customer.toString'],
    ['invoices.list', 'data.payments.data.payment.charge'],
    ['quotes.pdf', 'customer'],
    ['v2.core.accounts.retrieve', 'defaults'],
  ];
  it.each(unknown)('%s has no %s', (operation, path) => {
    expect(find(operation, path)).toBeUndefined();
  });

  it('is lacking for a key that may read only some of it', () => {
    const expansion = find('paymentIntents.retrieve', 'latest_charge.balance_transaction');
    if (expansion === undefined) throw new Error('not found');
    const lacking = (held: readonly string[]) =>
      lackingReads(new Set(held), expansion)?.map(({ name }) => name);
    expect(lacking(['payment_intent_read'])).toEqual(['charges.retrieve']);
    expect(lacking(['charge_read'])).toEqual(['balanceTransactions.retrieve']);
    expect(lacking(['charge_read', 'balance_read'])).toBeUndefined();
  });
});

describe('the encoding of fields', () => {
  const rows: readonly [string, string, ExpandableField][] = [
    ['billing_details', 'billing_details', { objects: [], isList: false, onRequest: false }],
    ['customer>customer', 'customer', { objects: ['customer'], isList: false, onRequest: true }],
    ['a.b=[item]', 'a.b', { objects: ['item'], isList: true, onRequest: false }],
    ['source>card|source', 'source', { objects: ['card', 'source'], isList: false, onRequest: true }],
  ];
  it.each(rows)('%s', (text, path, field) => {
    expect(encodeField(path, field)).toBe(text);
    expect([...decodeFields(text)]).toEqual([[path, field]]);
  });
});
