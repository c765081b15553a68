import type { OperationName } from '../../core/catalog/catalog.ts';
import { isLoopbackUrl } from '../webhooks/webhook-sender.ts';
import { creditNoteActions, creditNoteEffects } from './effects/billing/credit-notes.ts';
import { draftActions, draftDeletes, draftEffects } from './effects/billing/draft-edits.ts';
import { invoiceActions, invoiceDeletes, invoiceEffects } from './effects/billing/invoices.ts';
import {
  subscriptionActions,
  subscriptionChecks,
  subscriptionDeletes,
  subscriptionEffects,
  subscriptionLater,
} from './effects/billing/subscriptions.ts';
import { chargeActions, chargeEffects, refundIsOver, refundLater } from './effects/charges.ts';
import { customerActions, customerEffects, deleteEffects as endings } from './effects/customers.ts';
import { disputeActions, disputeChecks, disputeLater } from './effects/disputes.ts';
import {
  type Effect,
  type EffectContext,
  type Effects,
  makeBeside,
  refuse,
  status,
} from './effects/effect.ts';
import { lineItemEffects } from './effects/line-items.ts';
import { intentActions, intentChecks, intentEffects } from './effects/payment-intents.ts';
import { payoutActions, payoutEffects, payoutLater } from './effects/payouts.ts';
import type { StripeObject } from './object-store.ts';

/** Time passes for real, and nobody can turn a clock forward. */
const noTestClock: Effect = (_object, context) => {
  context.notModelled('test clocks');
  return refuse('The sandbox of keyaudit does not model test clocks: its time is the real one.', {
    param: 'test_clock',
  });
};

/** Events go to this machine alone. */
const takeUrl: Effect = (endpoint, context) => {
  const { url, disabled } = context.fields;
  if (url !== undefined && !/^https?:\/\/[^/]/.test(String(url))) {
    return refuse('Invalid URL: An explicit scheme (such as https) must be provided.', {
      code: 'url_invalid',
      param: 'url',
    });
  }
  if (!isLoopbackUrl(endpoint.url)) context.notModelled('webhooks to other machines');
  if (disabled !== undefined) endpoint.status = disabled === true ? 'disabled' : 'enabled';
  return undefined;
};

/** What a create fills in beyond the fields that were sent. Runs before the object is kept. */
export const createEffects: Effects = {
  ...chargeEffects,
  ...creditNoteEffects,
  ...customerEffects,
  ...intentEffects,
  ...draftEffects,
  ...invoiceEffects,
  ...lineItemEffects,
  ...payoutEffects,
  ...subscriptionEffects,
  'coupons.create': (object) => {
    Object.assign(object, { duration: object.duration ?? 'once', times_redeemed: 0, valid: true });
    return undefined;
  },
  'files.create': (object, { fields }) => {
    const file = fields.file as { name?: string; size?: number; type?: string } | undefined;
    Object.assign(object, {
      file: undefined,
      filename: file?.name ?? null,
      size: file?.size ?? 0,
      type: /\.(\w+)$/.exec(file?.name ?? '')?.[1] ?? null,
      url: `https://files.stripe.com/v1/files/${object.id}/contents`,
    });
    return undefined;
  },
  'prices.create': (price, context) => {
    const { product_data: data } = context.fields;
    if (typeof data === 'object' && data !== null)
      price.product = makeBeside('products', { ...data }, context).id;
    price.type = price.recurring === null || price.recurring === undefined ? 'one_time' : 'recurring';
    return undefined;
  },
  'products.create': (product, context) => {
    const { default_price_data: data } = context.fields;
    if (typeof data === 'object' && data !== null)
      product.default_price = makeBeside('prices', { ...data, product: product.id }, context).id;
    return undefined;
  },
  'testHelpers.testClocks.create': noTestClock,
  'webhookEndpoints.create': takeUrl,
};

/** Whether a create asks for what the sandbox does not have at all; asked before anything is made. */
export const createCheck: Effect = (object, context) =>
  context.fields.test_clock === undefined ? undefined : noTestClock(object, context);

/** Why an update may not be; asked before anything is changed. */
export const updateChecks: Effects = { ...disputeChecks, ...intentChecks, ...subscriptionChecks };

/** What goes with a deletion; asked before the object is gone. */
export const deleteEffects: Effects = {
  // What still waits for it is not sent.
  'webhookEndpoints.del': status('disabled'),
  ...draftDeletes,
  ...endings,
  ...invoiceDeletes,
  ...subscriptionDeletes,
};

/** What an action or an update does to its object; any other action takes the fields over and no more. */
const actionEffects: Effects = {
  ...chargeActions,
  ...creditNoteActions,
  ...customerActions,
  ...disputeActions,
  ...intentActions,
  ...draftActions,
  ...invoiceActions,
  ...payoutActions,
  ...subscriptionActions,
  'checkout.sessions.expire': status('expired'),
  'quotes.accept': status('accepted'),
  'quotes.finalizeQuote': status('open', 'finalized'),
  'subscriptionSchedules.release': status('released'),
  'testHelpers.testClocks.advance': noTestClock,
  'webhookEndpoints.update': takeUrl,
};

/** Actions named `cancel`, and the like, leave their object in one state. */
export function actionEffect(operation: OperationName): Effect | undefined {
  return actionEffects[operation] ?? (operation.endsWith('.cancel') ? status('canceled') : undefined);
}

/** What time does to a kind of object, and when it is done with it. */
interface Passing {
  readonly later: Effect;
  readonly isOver: (object: StripeObject, context: EffectContext) => boolean;
}

const PASSING: Readonly<Record<string, Passing>> = {
  dispute: { later: disputeLater, isOver: ({ status }) => !String(status).endsWith('needs_response') },
  payout: { later: payoutLater, isOver: ({ status }) => status !== 'pending' },
  refund: { later: refundLater, isOver: refundIsOver },
  subscription: {
    later: subscriptionLater,
    isOver: ({ status }) => status === 'canceled' || status === 'incomplete_expired',
  },
};

/** What has become of an object since it was last looked at. */
export function later(object: StripeObject, context: EffectContext): void {
  PASSING[object.object]?.later(object, context);
}

/** The same; true when time will change it no more. */
export function settles(object: StripeObject, context: EffectContext): boolean {
  later(object, context);
  return PASSING[object.object]?.isOver(object, context) ?? true;
}
