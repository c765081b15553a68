import type { Catalog, Operation } from '../../core/catalog/catalog.ts';
import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import type { ObjectStore } from '../objects/object-store.ts';
import { NOT_MODELLED } from '../objects/serve-operation.ts';
import { randomText } from '../random-text.ts';

interface OlderCall {
  readonly ids: readonly string[];
  readonly fields: Fields;
  readonly store: ObjectStore;
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
}

const RECORDS = 'subscription_items/usage_records';

/** Usage that was reported for an item of a subscription, until 2025-03-31.basil; undefined for any other call. */
export function serveUsageRecords({ name }: Operation, call: OlderCall): Answer | undefined {
  const isSummary = name === 'subscriptionItems.listUsageRecordSummaries';
  if (!isSummary && name !== 'subscriptionItems.createUsageRecord') return undefined;
  const { ids, fields, store, livemode, now } = call;
  const [item = ''] = ids;
  if (store.find('subscription_items', item) === undefined)
    return missingObject('subscription_item', item, 'id');
  if (isSummary) return summaries(item, call);
  const quantity = Number(fields.quantity);
  if (fields.quantity === undefined)
    return parameter('parameter_missing', 'Missing required param: quantity.');
  if (!Number.isSafeInteger(quantity))
    return parameter('parameter_invalid_integer', `Invalid integer: ${String(fields.quantity)}`);
  const seconds = Math.floor(now / 1000);
  const given = Number(fields.timestamp);
  const timestamp = Number.isSafeInteger(given) ? given : seconds;
  const record = { id: `mbur_1${randomText(23)}`, object: 'usage_record', livemode, quantity, timestamp };
  if (fields.action === 'set') {
    for (const one of store.list(RECORDS, [item]))
      if (one.timestamp === timestamp) store.remove(RECORDS, one.id);
  }
  return { status: 200, body: store.add(RECORDS, { ...record, subscription_item: item }, [item]) };
}

function parameter(code: string, message: string): Answer {
  return errorAnswer(400, { code, message, param: 'quantity' });
}

function summaries(item: string, { store, livemode }: OlderCall): Answer {
  const total = store.list(RECORDS, [item]).reduce((sum, { quantity }) => sum + Number(quantity), 0);
  const period = { end: null, start: null };
  const summary = {
    id: `sis_1${randomText(23)}`,
    object: 'usage_record_summary',
    invoice: null,
    livemode,
    period,
  };
  const url = `/v1/subscription_items/${item}/usage_record_summaries`;
  const data = [{ ...summary, subscription_item: item, total_usage: total }];
  return { status: 200, body: { object: 'list', data, has_more: false, url } };
}

/** What took the place of the upcoming invoice, in 2025-03-31.basil; undefined for any other path. */
export function upcomingInvoice(path: string, catalog: Catalog): Operation | undefined {
  return path === '/v1/invoices/upcoming' ? catalog.operation('invoices.createPreview') : undefined;
}

/** The lines of the upcoming invoice, which is not computed. */
export function upcomingLines(path: string): Answer | undefined {
  if (path !== '/v1/invoices/upcoming/lines') return undefined;
  const body = { object: 'list', data: [], has_more: false, url: path };
  return { status: 200, body, headers: { [NOT_MODELLED]: 'the lines of an upcoming invoice' } };
}
