import type { OperationName } from '../../../core/catalog/catalog.ts';
import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import { eventName } from '../events.ts';
import type { ObjectMaker, ObjectTraits } from '../make/make-object.ts';
import type { ObjectStore, StripeObject } from '../object-store.ts';

/** What an effect knows of its call. */
export interface EffectContext {
  /** The ids in the path. */
  readonly ids: readonly string[];
  readonly fields: Fields;
  readonly store: ObjectStore;
  readonly maker: ObjectMaker;
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
  /** Notes what goes among the events beside the object's own creation, update or deletion: `charge.refunded`. */
  readonly happened: (type: string, object: StripeObject) => void;
  /** Notes what the answer will not have of what was asked, for the header that says so. */
  readonly notModelled: (what: string) => void;
}

/**
 * Changes the object that the call made or addresses, and others, as the call does at Stripe; an answer
 * when Stripe would refuse.
 */
export type Effect = (object: StripeObject, context: EffectContext) => Answer | undefined;

export type Effects = Readonly<Record<OperationName, Effect>>;

export function traitsOf({
  livemode,
  now,
  store,
}: Pick<EffectContext, 'livemode' | 'now' | 'store'>): ObjectTraits {
  return { livemode, now, find: (kind, id) => store.ofKind(kind, id) };
}

/** Makes an object beside the one that the call is about, and keeps it. */
export function makeBeside(
  collection: string,
  given: Fields,
  context: EffectContext,
  parents: readonly string[] = [],
): StripeObject {
  const made = context.maker.make(collection, given, traitsOf(context));
  return context.store.add(collection, made, parents);
}

/** Stripe's time: seconds since 1970. */
export function seconds({ now }: Pick<EffectContext, 'now'>): number {
  return Math.floor(now / 1000);
}

/** HTTP 400 in these words. */
export function refuse(
  message: string,
  more: { readonly code?: string; readonly param?: string } = {},
): Answer {
  return errorAnswer(400, { message, ...more });
}

/** Leaves the object in a state, which is an event of its own. @param happened what the event calls it */
export function status(text: string, happened = text): Effect {
  return (object, context) => {
    object.status = text;
    context.happened(`${eventName(object)}.${happened}`, object);
    return undefined;
  };
}

/** The id that a field holds, whether expanded or not. */
export function idIn(value: unknown): string | undefined {
  const id = typeof value === 'object' && value !== null ? (value as Fields).id : value;
  return typeof id === 'string' && id !== '' ? id : undefined;
}
