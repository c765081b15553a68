import type { Operation } from '../../core/catalog/catalog.ts';
import {
  type Collection,
  collectionOf,
  idCollectionsOf,
  objectKind,
  objectKindOf,
  referencedResource,
} from '../../core/catalog/id-prefix.ts';
import { isRecord } from '../../core/document/is-record.ts';
import { type Answer, errorAnswer, missingObject } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { OWN_ACCOUNT } from '../own-account.ts';
import { isTestMethod } from './effects/cards.ts';
import { DELETED, type ObjectStore, type StripeObject } from './object-store.ts';

/** What a call names. */
interface Looked {
  readonly operation: Operation;
  /** The ids in the path. */
  readonly ids: readonly string[];
  readonly fields: Fields;
  readonly store: ObjectStore;
  readonly livemode: boolean;
}

/** The answer when the path or a parameter names an object that is not there. */
export function missingObjectOf(call: Looked): Answer | undefined {
  return missingInPath(call) ?? missingReference(call);
}

/** 404 when an object of the path is not there. */
function missingInPath(call: Looked): Answer | undefined {
  const { operation, ids, store, livemode } = call;
  const collections = idCollectionsOf(operation.path);
  for (const [index, id] of ids.entries()) {
    const collection = collections[index] ?? '';
    if (collection === 'payment_methods' && isTestMethod(id) && !livemode) continue;
    if (deletedObject(call) !== undefined) continue;
    if (findObject(store, collection, id, ids.slice(0, index)) !== undefined) continue;
    if (collection === 'accounts' && id === OWN_ACCOUNT) continue;
    const kind = objectKindOf(collection) ?? objectKind(collection);
    return operation.path.startsWith('/v2/')
      ? errorAnswer(404, { code: 'not_found', message: `No such ${kind.object}: ${id}` })
      : noSuch(kind.object, id, index === 0 ? 'id' : kind.object.replace(/^.*\./, ''));
  }
  return undefined;
}

/** Refunds answer 404 for a charge that is not there (reported), most calls 400. */
function missingReference({ operation, fields, store }: Looked): Answer | undefined {
  for (const name in fields) {
    const value = fields[name];
    const resource = referencedResource(name);
    if (typeof value === 'object' && value !== null && name !== 'metadata') {
      const inside = missingInside(value, name, store);
      if (inside !== undefined) return inside;
    }
    if (resource === undefined || typeof value !== 'string' || value === '' || isTestToken(value)) continue;
    if (name === 'account' && value === OWN_ACCOUNT) continue;
    if (store.find(collectionOf(resource), value) !== undefined) continue;
    const status = operation.resource === 'refunds' && operation.method === 'POST' ? 404 : 400;
    return noSuch(objectKind(resource).object, value, name, status);
  }
  return undefined;
}

/** What is named within a parameter: `items[0][price]`, `discounts[0][coupon]`. */
const NAMED_INSIDE: Readonly<Record<string, Collection>> = {
  coupon: 'coupons',
  default_payment_method: 'payment_methods',
  price: 'prices',
  product: 'products',
  promotion_code: 'promotion_codes',
};

function missingInside(part: object, path: string, store: ObjectStore): Answer | undefined {
  for (const [name, value] of Object.entries(part)) {
    const at = `${path}[${name}]`;
    if (typeof value === 'object' && value !== null) {
      const inside = name === 'metadata' ? undefined : missingInside(value, at, store);
      if (inside !== undefined) return inside;
      continue;
    }
    const collection = NAMED_INSIDE[name];
    if (collection === undefined || typeof value !== 'string' || value === '' || isTestToken(value)) continue;
    const isPlan = collection === 'prices' && store.find('plans', value) !== undefined;
    if (isPlan || store.find(collection, value) !== undefined) continue;
    return noSuch(objectKind(collection).object, value, at, 400);
  }
  return undefined;
}

/** Kinds that Stripe's messages call otherwise than their objects. */
const CALLED: Readonly<Record<string, string>> = {
  payment_method: 'PaymentMethod',
  promotion_code: 'promotion code',
  setup_intent: 'setupintent',
  webhook_endpoint: 'webhook endpoint',
};

function noSuch(object: string, id: string, param: string, status: 400 | 404 = 404): Answer {
  return missingObject(CALLED[object] ?? object, id, param, status);
}

/** `pm_card_visa` and its like stand for objects that Stripe makes on the spot in test mode. */
function isTestToken(value: string): boolean {
  return /^(?:pm_card_|tok_|btok_|src_)/.test(value);
}

/** An object of a collection; a customer's payment methods are those that are attached. */
export function findObject(
  store: ObjectStore,
  collection: Collection,
  id: string,
  parents: readonly string[],
): StripeObject | undefined {
  if (collection !== 'customers/payment_methods') return store.find(collection, id, parents);
  const method = store.find('payment_methods', id);
  return method?.customer === parents[0] ? method : undefined;
}

/** What can still be asked for by its id after it was deleted. */
export const REMEMBERED: ReadonlySet<Collection> = new Set(['customers', 'products']);

/** Where what was deleted is remembered; no path leads there. */
export function deletedFrom(collection: Collection): Collection {
  return `${DELETED}${collection}`;
}

/** What is left of a deleted object, for those who ask for it by its id. */
export function deletedObject({ operation, store, ids }: Looked): StripeObject | undefined {
  if (operation.kind !== 'retrieve' || !operation.path.endsWith('{id}') || ids.length !== 1) return undefined;
  return store.find(deletedFrom(collectionOf(operation.path)), ids[0] ?? '');
}

/** The object of which all that was sent is true, for calls that find one by what it says. */
export function objectSaying({
  operation,
  store,
  fields,
}: Pick<Looked, 'operation' | 'store' | 'fields'>): StripeObject | undefined {
  const wanted = Object.entries(fields).filter(([name]) => name !== 'expand');
  const isSame = (a: unknown, b: unknown): boolean =>
    isRecord(a) && isRecord(b) ? Object.entries(a).every(([name, value]) => isSame(value, b[name])) : a === b;
  return store
    .list(collectionOf(operation.path.replace(/\/[a-z_]+$/, '')))
    .find((one) => wanted.every(([name, value]) => isSame(value, one[name])));
}

export function nothingSays({ operation, fields }: Pick<Looked, 'operation' | 'fields'>): Answer {
  const { object } = objectKind(collectionOf(operation.path));
  return missingObject(object, String(fields.name ?? Object.values(fields)[0] ?? ''), 'name');
}
