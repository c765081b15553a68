import type { Answer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { StripeObject } from '../object-store.ts';
import { takeCustomerDiscount } from './billing/customer-discount.ts';
import { cannotAttach, cardOf, methodIn } from './cards.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  idIn,
  makeBeside,
  refuse,
  traitsOf,
} from './effect.ts';
import { withObject } from './money-refusals.ts';

/** Attaches what a create or an update of a customer names, and makes it the default where it says so. */
const takeMeans: Effect = (customer, context) => {
  const { payment_method: method, source, invoice_settings: settings } = context.fields;
  const id = methodIn(method, context);
  const named = (settings as Fields | undefined)?.default_payment_method;
  const defaultId = methodIn(named, context);
  for (const one of [id, defaultId === id ? undefined : defaultId]) {
    if (one === undefined) continue;
    const found = context.store.find('payment_methods', one);
    if (found === undefined) return noSuchMethod(one);
    if (one === defaultId && found.customer !== customer.id && defaultId === named) {
      const message = `The customer does not have a payment method with the ID ${one}. The payment method must be attached to the customer.`;
      return refuse(message, { code: 'resource_missing', param: 'invoice_settings[default_payment_method]' });
    }
    const refused = attachTo(customer.id, found, context);
    if (refused !== undefined) return refused;
  }
  if (defaultId !== undefined)
    customer.invoice_settings = {
      ...(customer.invoice_settings as Fields),
      default_payment_method: defaultId,
    };
  const refused = takeCustomerDiscount(customer, context);
  if (refused !== undefined || source === undefined || source === '') return refused;
  return addSource(customer, source, context);
};

function noSuchMethod(id: string): Answer {
  return refuse(`No such PaymentMethod: '${id}'`, { code: 'resource_missing', param: 'payment_method' });
}

function attachTo(customer: string, method: StripeObject, context: EffectContext): Answer | undefined {
  const refused = method.customer === customer ? undefined : cannotAttach(cardOf(method.id, context));
  if (refused !== undefined) return withObject(refused, { payment_method: method });
  method.customer = customer;
  return undefined;
}

/** A token becomes a card of the customer's, and the default one. @see https://docs.stripe.com/api/sources */
function addSource(customer: StripeObject, source: unknown, context: EffectContext): Answer | undefined {
  const card = cardOf(source, context);
  const refused = cannotAttach(card);
  if (refused !== undefined) return refused;
  const given = { ...card, brand: titled(card?.brand ?? 'visa'), customer: customer.id };
  const made = makeBeside('customers/sources', given, context, [customer.id]);
  customer.default_source = made.id;
  context.happened('customer.source.created', made);
  return undefined;
}

function titled(brand: string): string {
  return brand === 'amex' ? 'American Express' : `${brand.charAt(0).toUpperCase()}${brand.slice(1)}`;
}

/** `customers.createSource`: the source that was made is the card of its token. */
const createSource: Effect = (object, context) => {
  const [customer = ''] = context.ids;
  const card = cardOf(context.fields.source, context);
  const refused = cannotAttach(card);
  if (refused !== undefined) return refused;
  if (card !== undefined) Object.assign(object, card, { brand: titled(card.brand) });
  object.customer = customer;
  const owner = context.store.find('customers', customer);
  if (owner !== undefined && (owner.default_source === null || owner.default_source === undefined))
    owner.default_source = object.id;
  return undefined;
};

/** Its subscriptions end with a customer. @see https://docs.stripe.com/api/customers/delete */
const deleteCustomer: Effect = (customer, context) => {
  for (const subscription of context.store.list('subscriptions')) {
    if (idIn(subscription.customer) !== customer.id || subscription.status === 'canceled') continue;
    const now = Math.floor(context.now / 1000);
    Object.assign(subscription, { canceled_at: now, ended_at: now, status: 'canceled' });
    context.happened('customer.subscription.deleted', subscription);
  }
  return undefined;
};

/** A product that has prices stays. @see https://docs.stripe.com/api/products/delete */
const deleteProduct: Effect = (product, { store }) =>
  store.list('prices').some((price) => idIn(price.product) === product.id)
    ? refuse(
        'This product cannot be deleted because it has one or more user-created prices. Consider archiving the product instead.',
      )
    : undefined;

const createMethod: Effect = (method, context) => {
  const { card: form, type, customer } = context.fields;
  if (type !== undefined && type !== 'card') return undefined;
  const card = cardOf(form, context);
  if (card !== undefined) context.maker.update(method, { card: { ...card } }, traitsOf(context));
  if (typeof customer === 'string') method.customer = customer;
  return undefined;
};

const attach: Effect = (method, context) => {
  const { customer } = context.fields;
  const known = idIn(method.customer);
  if (known !== undefined && known !== customer) {
    return refuse(
      'The payment method you provided has already been attached to a customer. Detach it from that customer first.',
    );
  }
  const refused = attachTo(String(customer), method, context);
  if (refused === undefined) context.happened('payment_method.attached', method);
  return refused;
};

const detach: Effect = (method, context) => {
  const id = idIn(method.customer);
  if (id === undefined) {
    return refuse(
      'The payment method you provided is not attached to a customer so detachment is impossible.',
    );
  }
  const customer = context.store.find('customers', id);
  const settings = customer?.invoice_settings as Fields | undefined;
  if (customer !== undefined && idIn(settings?.default_payment_method) === method.id)
    customer.invoice_settings = { ...settings, default_payment_method: null };
  method.customer = null;
  context.happened('payment_method.detached', method);
  return undefined;
};

/** What an invoice or a subscription of the customer is paid with. */
export function defaultMethodOf(
  holder: StripeObject,
  customer: StripeObject | undefined,
): string | undefined {
  const settings = customer?.invoice_settings as Fields | undefined;
  return (
    idIn(holder.default_payment_method) ??
    idIn(holder.default_source) ??
    idIn(settings?.default_payment_method) ??
    idIn(customer?.default_source)
  );
}

export const customerEffects: Effects = {
  'customers.create': takeMeans,
  'customers.createSource': createSource,
  'paymentMethods.create': createMethod,
};

export const customerActions: Effects = {
  'customers.update': takeMeans,
  'paymentMethods.attach': attach,
  'paymentMethods.detach': detach,
};

export const deleteEffects: Effects = {
  'customers.del': deleteCustomer,
  'products.del': deleteProduct,
};
