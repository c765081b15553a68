import { type Collection, objectKindOf } from '../../core/catalog/id-prefix.ts';
import type { Fields } from '../../http/form-body.ts';
import { randomText } from '../random-text.ts';
import type { StripeObject } from './object-store.ts';

export interface ObjectTraits {
  readonly collection: Collection;
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
}

/** A new object of a collection: what was sent, and the fields that every object has. */
export function makeObject(fields: Fields, { collection, livemode, now }: ObjectTraits): StripeObject {
  const kind = objectKindOf(collection);
  const isV2 = collection.startsWith('v2/');
  const prefix = kind?.prefix ?? '';
  const given = typeof fields.id === 'string' && fields.id !== '' ? fields.id : undefined;
  const made: StripeObject = {
    id: given ?? (prefix === '' ? randomText(8) : `${prefix}_1${randomText(23)}`),
    object: kind?.object ?? (collection.split('/').at(-1) ?? collection).replace(/s$/, ''),
    created: isV2 ? new Date(now).toISOString() : Math.floor(now / 1000),
    livemode,
    metadata: { ...(isRecord(fields.metadata) ? fields.metadata : {}) },
  };
  for (const [name, value] of Object.entries(fields)) {
    if (name !== 'expand' && !Object.hasOwn(made, name)) made[name] = value;
  }
  return made;
}

/** Takes new values over; an empty string unsets, and metadata is merged. @see https://docs.stripe.com/api/metadata */
export function updateObject(object: StripeObject, fields: Fields): void {
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'expand' || name === 'id' || name === 'object') continue;
    if (name === 'metadata' && isRecord(value)) {
      const merged = { ...(isRecord(object.metadata) ? object.metadata : {}), ...value };
      object.metadata = Object.fromEntries(Object.entries(merged).filter(([, text]) => text !== ''));
    } else {
      object[name] = value === '' ? null : value;
    }
  }
}

export function isRecord(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
