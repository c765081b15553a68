import type { Fields } from '../../http/form-body.ts';
import type { Happening } from './event-log.ts';
import type { StripeObject } from './object-store.ts';

/** The events of one call, in the order in which things happened. */
export class Happenings {
  readonly #noted: Happening[] = [];

  note(type: string, object: StripeObject, previous?: Fields): void {
    this.#noted.push({ type, object: { ...object }, previous });
  }

  /** What an object was made before anything else happened to it. */
  noteFirst(type: string, object: StripeObject): void {
    this.#noted.unshift({ type, object: { ...object }, previous: undefined });
  }

  get isEmpty(): boolean {
    return this.#noted.length === 0;
  }

  /** Those of a type that Stripe has. */
  ofTypes(types: ReadonlySet<string>): readonly Happening[] {
    return this.#noted.filter(({ type }) => types.has(type));
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
  return NAMES[object] ?? (object.startsWith('issuing.') ? object.replace('.', '_') : object);
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
