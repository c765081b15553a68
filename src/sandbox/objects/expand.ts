import type { Operation } from '../../core/catalog/catalog.ts';
import { DEEPEST_EXPANSION, type Expansion, type Expansions } from '../../core/catalog/expansion.ts';
import { collectionsHolding } from '../../core/catalog/id-prefix.ts';
import { type Answer, errorAnswer } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import type { ObjectStore, StripeObject } from './object-store.ts';

/** HTTP 400 in Stripe's words for a path that cannot be expanded. @see docs/observed.md#expanding */
export function cannotExpand(operation: Operation, path: string, expansions: Expansions): Answer {
  const names = path.split('.');
  if (names.length > DEEPEST_EXPANSION) {
    return errorAnswer(400, {
      message: `You cannot expand more than ${DEEPEST_EXPANSION} levels of a property.`,
    });
  }
  const leads = (some: readonly string[]) => expansions.find(operation, some.join('.')) !== undefined;
  const [first = ''] = names;
  const wrong = names.find((_, index) => !leads(names.slice(0, index + 1))) ?? path;
  const advice = leads(['data', first]) ? ` You may want to try expanding 'data.${first}' instead.` : '';
  return errorAnswer(400, { message: `This property cannot be expanded (${wrong}).${advice}` });
}

/** Where the objects are, and what they look like to a version of the API. */
interface Look {
  readonly store: ObjectStore;
  readonly shape?: ((body: unknown) => unknown) | undefined;
}

/** Puts objects in the place of their ids, and lists where they are there on request only; the answer is a copy. */
export function expand(body: unknown, steps: Expansion['steps'], look: Look): unknown {
  const [step, ...rest] = steps;
  if (step === undefined) return body;
  if (Array.isArray(body)) return body.map((one) => expand(one, steps, look));
  if (typeof body !== 'object' || body === null) return body;
  const { name } = step;
  const member = (body as Fields)[name];
  const value = member === undefined && step.isList ? includedList(body as Fields, step, look) : member;
  if (value === undefined) return body;
  const found = Array.isArray(value)
    ? value.map((one) => objectOr(one, step, look))
    : objectOr(value, step, look);
  return { ...body, [name]: expand(found, rest, look) };
}

type Step = Expansion['steps'][number];

/** The object that an id stands for, of one of the kinds that may stand there; else what is there. */
function objectOr(value: unknown, { objects }: Step, { store, shape }: Look): unknown {
  if (typeof value !== 'string') return value;
  for (const collection of objects.flatMap(collectionsHolding)) {
    const object = store.find(collection, value);
    if (object !== undefined) return shape === undefined ? object : shape(object);
  }
  return value;
}

const LISTED = 10;

/** A charge's refunds, a customer's subscriptions: the objects below theirs, or that name it. */
function includedList(parent: Fields, { name, objects }: Step, { store, shape }: Look): unknown {
  const { id, object } = parent;
  if (typeof id !== 'string' || typeof object !== 'string') return undefined;
  const reference = object.replace(/^.*\./, '');
  const names = (one: StripeObject) => one[reference] === id;
  const below = objects
    .flatMap(collectionsHolding)
    .flatMap((collection) => [...store.list(collection, [id]), ...store.list(collection).filter(names)]);
  const found = [...new Set(below)];
  const [own = ''] = collectionsHolding(object);
  return {
    object: 'list',
    data: found.slice(0, LISTED).map((one) => (shape === undefined ? one : shape(one))),
    has_more: found.length > LISTED,
    url: `/v1/${own}/${id}/${name}`,
  };
}
