import { describe, expect, it } from 'vitest';
import { Catalog } from './catalog.ts';
import { catalogData } from './data/catalog.ts';
import { remarksOn, remarksOnAll, unconfirmedName } from './remark.ts';

const catalog = new Catalog(catalogData);
const remarks = (name: string) => {
  const operation = catalog.operation(name);
  return operation === undefined ? undefined : remarksOn(operation, catalog).join(' ');
};

describe('the remark on', () => {
  it.each([
    ['accounts.retrieveCurrent', /accounts_kyc_basic_read/],
    ['accounts.createLoginLink', /may be impossible/],
    ['taxIds.create', /account itself may need another.* tax_id_write is an unconfirmed name/],
    ['events.list', /Read on the resource/],
    ['v2.core.events.retrieve', /Read on the resource/],
    ['identity.verificationReports.list', /further rows/],
    ['v2.core.accounts.create', /Recipient Configuration/],
    ['v2.core.accountTokens.create', /publishable key/],
    ['v2.billing.meterEventStream.create', /not an API key/],
    ['climate.orders.create', /^climate_order_write is an unconfirmed name/],
  ])('%s says %s', (name, text) => {
    expect(remarks(name)).toMatch(text);
  });

  it('a plain row is none', () => {
    expect(remarks('charges.list')).toBe('');
  });

  it('several operations is given once, with all of them', () => {
    const shared = remarksOnAll(['events.list', 'charges.list', 'events.retrieve', 'no.such'], catalog);
    expect(shared.map(({ operations }) => operations)).toEqual([['events.list', 'events.retrieve']]);
  });
});

describe('unconfirmed names', () => {
  it('are marked in the data, and never alone where another name suffices', () => {
    const marked = catalog.permissions.filter(({ name }) => unconfirmedName(name, catalog) !== undefined);
    expect(marked.map(({ name }) => name).sort()).toEqual([
      'billing_meter_event_adjustment_write',
      'climate_order_read',
      'climate_order_write',
      'tax_id_read',
      'tax_id_write',
    ]);
    for (const { path, permissions } of catalog.operations.filter(({ resource }) => resource === 'tax_ids'))
      expect(permissions[0], path).toMatch(/^customer_/);
  });
});
