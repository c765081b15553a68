import type { Operation } from '../../core/catalog/catalog.ts';
import { isRecord } from '../../core/document/is-record.ts';
import type { Fields } from '../../http/form-body.ts';
import type { ObjectStore, StripeObject } from './object-store.ts';

/** Whether an object is among those that a list asks for. */
type Filter = (object: StripeObject) => boolean;

/** What a rule knows beside the object. */
interface FilterContext {
  readonly wanted: unknown;
  readonly store: ObjectStore;
}

type Rule = (object: StripeObject, context: FilterContext) => boolean;

/**
 * Every parameter of a list but those of paging filters: an object that lacks the field, or has another value
 * there, is not in the list.
 * @see https://docs.stripe.com/api/charges/list and its like for each resource
 */
export function listFilter({ name, path }: Operation, query: Fields, store: ObjectStore): Filter {
  if (COMPUTED.has(name)) return () => true;
  const own = rules[name] ?? {};
  const tests: Filter[] = [];
  for (const [parameter, wanted] of Object.entries(query)) {
    if (PAGING.has(parameter) || wanted === '') continue;
    const rule = own[parameter] ?? common[parameter];
    tests.push(
      rule === undefined
        ? (object) => holds(object[parameter] ?? ABSENT[parameter], wanted)
        : (object) => rule(object, { wanted, store }),
    );
  }
  const byDefault = query.status === undefined ? defaults[name] : undefined;
  if (byDefault !== undefined) tests.push(byDefault);
  if (path === '/v2/core/accounts' && query.closed === undefined) tests.push(({ closed }) => closed !== true);
  return (object) => tests.every((test) => test(object));
}

/** No filters: which page, in which order, and how much of each object. */
const PAGING: ReadonlySet<string> = new Set([
  'limit',
  'starting_after',
  'ending_before',
  'expand',
  'page',
  'include',
  'order_by',
  'value_grouping_window',
  'ownership',
]);

/** What these list is computed from their parameters, which are those of a create. */
const COMPUTED: ReadonlySet<string> = new Set([
  'creditNotes.listPreviewLineItems',
  'billing.meters.listEventSummaries',
]);

/** What a field counts as on an object that does not have it. */
const ABSENT: Readonly<Record<string, unknown>> = { active: true };

/** Where a parameter of this name looks, whatever the list. */
const common: Readonly<Record<string, Rule>> = {
  ids: ({ id }, { wanted }) => anyOf(id, wanted),
  lookup_keys: ({ lookup_key: key }, { wanted }) => anyOf(key, wanted),
  types: ({ type }, { wanted }) => anyOf(type, wanted),
  statuses: ({ status }, { wanted }) => anyOf(status, wanted),
  prices: ({ price }, { wanted }) => anyOf(price, wanted),
  created_after: ({ created }, { wanted }) => holds(created, { gt: wanted }),
  created_before: ({ created }, { wanted }) => holds(created, { lt: wanted }),
  created_gt: ({ created }, { wanted }) => holds(created, { gt: wanted }),
  created_gte: ({ created }, { wanted }) => holds(created, { gte: wanted }),
  created_lt: ({ created }, { wanted }) => holds(created, { lt: wanted }),
  created_lte: ({ created }, { wanted }) => holds(created, { lte: wanted }),
};

const rules: Readonly<Record<string, Readonly<Record<string, Rule>>>> = {
  'entitlements.features.list': {
    archived: ({ active }, { wanted }) => (active !== false) !== isTrue(wanted),
  },
  'events.list': {
    // "A specific event name, or group of events using * as a wildcard."
    type: ({ type }, { wanted }) => matchesWildcard(String(type), String(wanted)),
    delivery_success: ({ pending_webhooks: pending }, { wanted }) =>
      (Number(pending ?? 0) === 0) === isTrue(wanted),
  },
  'fileLinks.list': { expired: (link, { wanted }) => (link.expired === true) === isTrue(wanted) },
  'invoiceItems.list': {
    pending: ({ invoice }, { wanted }) => (invoice === undefined || invoice === null) === isTrue(wanted),
  },
  'invoices.list': {
    subscription: (invoice, { wanted }) =>
      holds(invoice.subscription, wanted) ||
      holds(at(invoice, 'parent', 'subscription_details', 'subscription'), wanted),
  },
  'radar.valueLists.list': {
    contains: ({ id }, { wanted, store }) =>
      store
        .list('radar/value_list_items')
        .some((item) => item.value_list === id && holds(item.value, wanted)),
  },
  'subscriptionSchedules.list': {
    scheduled: ({ status }, { wanted }) => !isTrue(wanted) || status === 'not_started',
  },
  'subscriptions.list': {
    price: (subscription, { wanted }) => itemsOf(subscription).some((item) => holds(item.price, wanted)),
    plan: (subscription, { wanted }) =>
      itemsOf(subscription).some((item) => holds(item.plan, wanted) || holds(item.price, wanted)),
    current_period_start: (subscription, { wanted }) =>
      itemsOf(subscription).some((item) => holds(item.current_period_start, wanted)),
    current_period_end: (subscription, { wanted }) =>
      itemsOf(subscription).some((item) => holds(item.current_period_end, wanted)),
    status: ({ status }, { wanted }) => {
      if (wanted === 'all') return true;
      return wanted === 'ended'
        ? status === 'canceled' || status === 'incomplete_expired'
        : holds(status, wanted);
    },
  },
  'tax.registrations.list': { status: ({ status }, { wanted }) => wanted === 'all' || holds(status, wanted) },
  'v2.core.accounts.list': {
    applied_configurations: ({ applied_configurations: applied }, { wanted }) =>
      values(wanted).every((one) => values(applied).includes(one)),
  },
  'v2.core.events.list': {
    object_id: (event, { wanted }) => holds(at(event, 'related_object', 'id'), wanted),
  },
};

/** What a list leaves out where it is asked for no status. */
const defaults: Readonly<Record<string, Filter>> = {
  'subscriptions.list': ({ status }) => status !== 'canceled',
};

/** Whether a field has the value, is within the bounds, or has each of the fields that are asked for. */
function holds(found: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) return anyOf(found, wanted);
  if (typeof wanted === 'object' && wanted !== null) {
    return Object.entries(wanted).every(([name, limit]) =>
      isBound(name) ? isWithin(found, name, limit) : isRecord(found) && holds(found[name], limit),
    );
  }
  if (Array.isArray(found)) return found.some((one) => holds(one, wanted));
  if (found === undefined || found === null) return wanted === false || wanted === 'false';
  // An id may stand for its object, and the object for its id.
  const value = isRecord(found) ? found.id : found;
  return String(value) === String(wanted);
}

function anyOf(found: unknown, wanted: unknown): boolean {
  return values(wanted).some((one) => holds(found, one));
}

type Bound = 'gt' | 'gte' | 'lt' | 'lte';

function isBound(name: string): name is Bound {
  return name === 'gt' || name === 'gte' || name === 'lt' || name === 'lte';
}

/** Times are numbers in v1 and ISO 8601 in v2. */
function isWithin(found: unknown, bound: Bound, limit: unknown): boolean {
  if (found === undefined || found === null) return false;
  const value = numberOf(found);
  const other = numberOf(limit);
  switch (bound) {
    case 'gt':
      return value > other;
    case 'gte':
      return value >= other;
    case 'lt':
      return value < other;
    default:
      return value <= other;
  }
}

function numberOf(value: unknown): number {
  const number = Number(value);
  return Number.isNaN(number) ? Date.parse(String(value)) : number;
}

function values(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : value === undefined ? [] : [value];
}

function isTrue(value: unknown): boolean {
  return value === true || value === 'true' || value === '1';
}

function at(object: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, name) => (isRecord(value) ? value[name] : undefined), object);
}

function itemsOf({ items }: StripeObject): readonly Fields[] {
  const data = isRecord(items) ? items.data : undefined;
  return Array.isArray(data) ? data.filter(isRecord) : [];
}

/** Looks for each piece after the one before it, so that many stars cost no more than one. */
function matchesWildcard(text: string, pattern: string): boolean {
  const pieces = pattern.split('*');
  const last = pieces.pop() ?? '';
  if (pieces.length === 0) return text === last;
  let start = 0;
  for (const [index, piece] of pieces.entries()) {
    const found = text.indexOf(piece, start);
    if (found < 0 || (index === 0 && found > 0)) return false;
    start = found + piece.length;
  }
  return text.length - last.length >= start && text.endsWith(last);
}
