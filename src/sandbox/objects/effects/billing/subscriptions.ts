import type { Fields } from '../../../../http/form-body.ts';
import type { StripeObject } from '../../object-store.ts';
import { methodIn } from '../cards.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  idIn,
  makeBeside,
  refuse,
  seconds,
  traitsOf,
} from '../effect.ts';
import { bill, itemsOf } from './first-invoice.ts';
import { priceIn } from './invoice-lines.ts';
import { takeDiscounts } from './invoices.ts';

const DAY_S = 86_400;

/** Where a period that begins then ends. @see https://docs.stripe.com/api/prices/object#price_object-recurring */
function periodEnd(start: number, price: StripeObject | undefined): number {
  const { interval = 'month', interval_count: count = 1 } = (price?.recurring ?? {}) as {
    interval?: string;
    interval_count?: number;
  };
  if (interval === 'day' || interval === 'week') return start + (interval === 'day' ? 1 : 7) * count * DAY_S;
  const end = new Date(start * 1000);
  const day = end.getUTCDate();
  end.setUTCDate(1);
  end.setUTCMonth(end.getUTCMonth() + (interval === 'year' ? 12 : 1) * count);
  const last = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
  end.setUTCDate(Math.min(day, last));
  return Math.floor(end.getTime() / 1000);
}

/** Makes an item of a subscription, with the period that it is billed for. */
function makeItem(subscription: StripeObject, given: Fields, context: EffectContext): StripeObject {
  const price = priceIn(given, context) ?? context.store.find('plans', String(given.plan));
  const made = makeBeside('subscription_items', { ...given, price: price?.id ?? given.price }, context);
  const start = seconds(context);
  const trial = Number(subscription.trial_end ?? 0);
  const end = trial > start ? trial : periodEnd(start, price);
  Object.assign(made, {
    current_period_end: end,
    current_period_start: start,
    price: price ?? made.price,
    quantity: Number(given.quantity ?? 1),
    subscription: subscription.id,
  });
  return made;
}

/** A subscription shows its items whole. */
function showItems(subscription: StripeObject, { store }: EffectContext): void {
  const items = store.list('subscription_items').filter(({ subscription: of }) => of === subscription.id);
  subscription.items = {
    object: 'list',
    data: [...items].reverse(),
    has_more: false,
    total_count: items.length,
    url: `/v1/subscription_items?subscription=${subscription.id}`,
  };
}

const createSubscription: Effect = (object, context) => {
  const { fields, store } = context;
  const given = Array.isArray(fields.items) ? (fields.items as Fields[]) : [];
  const now = seconds(context);
  const firstPrice = given[0] === undefined ? undefined : priceIn(given[0], context);
  const trialEnd = trialEndOf(fields, firstPrice, now);
  Object.assign(object, {
    billing_cycle_anchor: trialEnd ?? now,
    cancel_at_period_end: fields.cancel_at_period_end ?? false,
    currency: String(fields.currency ?? firstPrice?.currency ?? 'usd'),
    start_date: now,
    status: trialEnd === undefined ? 'active' : 'trialing',
    trial_end: trialEnd ?? null,
    trial_start: trialEnd === undefined ? null : now,
  });
  const method = methodIn(fields.default_payment_method, context);
  if (method !== undefined) object.default_payment_method = method;
  const refused = takeDiscounts(object, context);
  if (refused !== undefined) return refused;
  for (const item of given) makeItem(object, item, context);
  showItems(object, context);
  if (object.cancel_at_period_end === true) object.cancel_at = endOf(object);
  const unpaid = bill(object, store.find('customers', String(idIn(object.customer))), context);
  if (unpaid !== undefined) for (const { id } of itemsOf(object)) store.remove('subscription_items', id);
  return unpaid;
};

function trialEndOf(fields: Fields, price: StripeObject | undefined, now: number): number | undefined {
  const { trial_end: end, trial_period_days: days, trial_from_plan: fromPlan } = fields;
  if (end === 'now') return undefined;
  if (end !== undefined && Number(end) > now) return Number(end);
  const ofPrice = fromPlan === true ? (price?.recurring as Fields | undefined)?.trial_period_days : undefined;
  const wanted = Number(days ?? ofPrice ?? 0);
  return wanted > 0 ? now + wanted * DAY_S : undefined;
}

function endOf(subscription: StripeObject): number {
  return Math.max(...itemsOf(subscription).map((item) => Number(item.current_period_end)), 0);
}

const isEnded: Effect = (subscription) =>
  subscription.status === 'canceled' || subscription.status === 'incomplete_expired'
    ? refuse('A canceled subscription can only update its cancellation_details and metadata.', {
        code: 'resource_missing',
      })
    : undefined;

const mayUpdate: Effect = (subscription, context) => {
  const beyond = Object.keys(context.fields).some(
    (name) => !['metadata', 'cancellation_details', 'expand'].includes(name),
  );
  return beyond ? isEnded(subscription, context) : undefined;
};

const updateSubscription: Effect = (subscription, context) => {
  const { fields, store } = context;
  const method = methodIn(fields.default_payment_method, context);
  if (method !== undefined) subscription.default_payment_method = method;
  const refused = takeDiscounts(subscription, context);
  if (refused !== undefined) return refused;
  for (const given of Array.isArray(fields.items) ? (fields.items as Fields[]) : []) {
    const known = given.id === undefined ? undefined : store.find('subscription_items', String(given.id));
    if (given.id !== undefined && known?.subscription !== subscription.id)
      return refuse(`No such subscription item: '${String(given.id)}'`, {
        code: 'resource_missing',
        param: 'items[0][id]',
      });
    if (known === undefined) makeItem(subscription, given, context);
    else if (given.deleted === true || given.deleted === 'true') store.remove('subscription_items', known.id);
    else changeItem(known, given, context);
    if (fields.proration_behavior !== 'none') context.notModelled('prorations');
  }
  if (fields.trial_end === 'now') endTrial(subscription, context);
  else if (fields.trial_end !== undefined && Number(fields.trial_end) > seconds(context))
    Object.assign(subscription, { status: 'trialing', trial_end: Number(fields.trial_end) });
  showItems(subscription, context);
  if (fields.cancel_at_period_end !== undefined) {
    const ends = fields.cancel_at_period_end === true;
    const now = seconds(context);
    Object.assign(subscription, {
      cancel_at: ends ? endOf(subscription) : null,
      canceled_at: ends ? now : null,
    });
  }
  return undefined;
};

function changeItem(item: StripeObject, given: Fields, context: EffectContext): void {
  const price = priceIn(given, context);
  if (price !== undefined) item.price = price;
  if (given.quantity !== undefined) item.quantity = Number(given.quantity);
}

function endTrial(subscription: StripeObject, context: EffectContext): void {
  const now = seconds(context);
  Object.assign(subscription, { billing_cycle_anchor: now, status: 'active', trial_end: now });
  for (const item of itemsOf(subscription)) {
    const known = context.store.find('subscription_items', item.id);
    const period = {
      current_period_start: now,
      current_period_end: periodEnd(now, item.price as StripeObject),
    };
    if (known !== undefined) Object.assign(known, period);
  }
  context.notModelled('the invoice at the end of a trial');
}

const cancelSubscription: Effect = (subscription, context) => {
  const refused = isEnded(subscription, context);
  if (refused !== undefined) return refused;
  const { cancellation_details: details, prorate, invoice_now: invoiceNow } = context.fields;
  if (prorate === true || invoiceNow === true) context.notModelled('prorations');
  const now = seconds(context);
  Object.assign(subscription, { canceled_at: now, ended_at: now, status: 'canceled' });
  const why = { ...(details as Fields | undefined), reason: 'cancellation_requested' };
  context.maker.update(subscription, { cancellation_details: why }, traitsOf(context));
  context.happened('customer.subscription.deleted', subscription);
  return undefined;
};

const resumeSubscription: Effect = (subscription, context) => {
  if (subscription.status !== 'paused') {
    return refuse(
      `This subscription cannot be resumed because it has a status of ${String(subscription.status)}.`,
    );
  }
  subscription.status = 'active';
  context.happened('customer.subscription.resumed', subscription);
  return undefined;
};

const pauseSubscription: Effect = (subscription, context) => {
  const refused = isEnded(subscription, context);
  if (refused !== undefined) return refused;
  subscription.status = 'paused';
  context.happened('customer.subscription.paused', subscription);
  return undefined;
};

/** What has become of a subscription whose trial or whose last period is over; renewals are not made. */
export const subscriptionLater: Effect = (subscription, context) => {
  const now = seconds(context);
  const { cancel_at: end, status, trial_end: trial } = subscription;
  if (status !== 'active' && status !== 'trialing') return undefined;
  if (typeof end === 'number' && end > 0 && now >= end) {
    Object.assign(subscription, { ended_at: end, status: 'canceled' });
    context.happened('customer.subscription.deleted', subscription);
  } else if (status === 'trialing' && typeof trial === 'number' && now >= trial) {
    endTrial(subscription, context);
    showItems(subscription, context);
    context.happened('customer.subscription.updated', subscription);
  }
  return undefined;
};

/** Keeps the subscription of an item that was made, changed or deleted by itself. */
function withSubscription(
  work: (item: StripeObject, subscription: StripeObject, context: EffectContext) => void,
): Effect {
  return (item, context) => {
    const id = String(context.fields.subscription ?? item.subscription);
    const subscription = context.store.find('subscriptions', id);
    if (subscription === undefined) return undefined;
    work(item, subscription, context);
    showItems(subscription, context);
    if (context.fields.proration_behavior !== 'none') context.notModelled('prorations');
    context.happened('customer.subscription.updated', subscription);
    return undefined;
  };
}

const createItem = withSubscription((item, subscription, context) => {
  const price = priceIn(context.fields, context);
  const [first] = itemsOf(subscription);
  const start = seconds(context);
  Object.assign(item, {
    current_period_end: Number(first?.current_period_end ?? periodEnd(start, price)),
    current_period_start: start,
    price: price ?? item.price,
    quantity: Number(context.fields.quantity ?? 1),
    subscription: subscription.id,
  });
  context.store.add('subscription_items', item);
});

export const subscriptionEffects: Effects = {
  'subscriptionItems.create': createItem,
  'subscriptions.create': createSubscription,
};

export const subscriptionChecks: Effects = { 'subscriptions.update': mayUpdate };

export const subscriptionActions: Effects = {
  'subscriptionItems.update': withSubscription((item, _subscription, context) => {
    changeItem(item, context.fields, context);
  }),
  'subscriptions.cancel': cancelSubscription,
  'subscriptions.pause': pauseSubscription,
  'subscriptions.resume': resumeSubscription,
  'subscriptions.update': updateSubscription,
};

export const subscriptionDeletes: Effects = {
  'subscriptionItems.del': withSubscription((item, _subscription, { store }) => {
    store.remove('subscription_items', item.id);
  }),
};
