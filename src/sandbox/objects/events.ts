import type { Fields } from '../../http/form-body.ts';
import { randomText } from '../random-text.ts';
import type { ObjectStore, StripeObject } from './object-store.ts';

/** What the event's request tells of the one that made it happen. */
export interface EventRequest {
  readonly id: string;
  readonly idempotencyKey: string | undefined;
}

interface EventTraits {
  readonly store: ObjectStore;
  readonly livemode: boolean;
  readonly now: number;
  /** The version that events have the shape of. */
  readonly apiVersion: string;
  /** Every type of event that there is. */
  readonly types: ReadonlySet<string>;
  readonly request: EventRequest | undefined;
}

/** Stripe keeps events for 30 days, the sandbox this many. */
const MOST_EVENTS = 2_000;

/** The events of one call, in the order in which things happened. */
export class Happenings {
  readonly #noted: { readonly type: string; readonly object: StripeObject; readonly previous?: Fields }[] =
    [];

  note(type: string, object: StripeObject, previous?: Fields): void {
    this.#noted.push({ type, object: { ...object }, previous });
  }

  /** What an object was made before anything else happened to it. */
  noteFirst(type: string, object: StripeObject): void {
    this.#noted.unshift({ type, object: { ...object } });
  }

  get isEmpty(): boolean {
    return this.#noted.length === 0;
  }

  /** Keeps them as events, those of a type that Stripe has. */
  keep({ store, livemode, now, apiVersion, types, request }: EventTraits): readonly StripeObject[] {
    const kept: StripeObject[] = [];
    for (const { type, object, previous } of this.#noted) {
      if (!types.has(type)) continue;
      const data = previous === undefined ? { object } : { object, previous_attributes: previous };
      const event = {
        id: `evt_1${randomText(23)}`,
        object: 'event',
        api_version: apiVersion,
        created: Math.floor(now / 1000),
        data,
        livemode,
        pending_webhooks: 0,
        request: { id: request?.id ?? null, idempotency_key: request?.idempotencyKey ?? null },
        type,
      };
      kept.push(store.add('events', event));
    }
    store.keepNewest('events', MOST_EVENTS);
    return kept;
  }
}

/** What kinds of objects are called in the types of their events, where not by their own name. */
const NAMES: Readonly<Record<string, string>> = {
  bank_account: 'customer.source',
  card: 'customer.source',
  discount: 'customer.discount',
  subscription: 'customer.subscription',
  tax_id: 'customer.tax_id',
};

/** `customer.subscription` for a subscription, `issuing_card` for an issuing card. */
export function eventName({ object }: StripeObject): string {
  return NAMES[object] ?? object.replace(/^issuing\./, 'issuing_');
}

/** What the fields of an object were that have changed since. */
export function changedFields(before: Fields, after: Fields): Fields | undefined {
  const changed: Fields = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const was = before[name];
    const is = after[name];
    if (was !== is && JSON.stringify(was) !== JSON.stringify(is)) changed[name] = was ?? null;
  }
  return Object.keys(changed).length === 0 ? undefined : changed;
}
