import type { Operation } from '../../core/catalog/catalog.ts';
import type { Expansion } from '../../core/catalog/expansion.ts';
import {
  type Collection,
  collectionOf,
  collectionsHolding,
  idCollectionsOf,
  objectKind,
  objectKindsInPath,
} from '../../core/catalog/id-prefix.ts';
import { type Answer, errorAnswer, isSuccess } from '../../http/answer.ts';
import type { Fields } from '../../http/form-body.ts';
import { ownAccount } from '../own-account.ts';
import { webhookSecret } from '../webhooks/webhook-secret.ts';
import { takeAwayDiscount } from './effects/billing/customer-discount.ts';
import { balanceFields } from './effects/books.ts';
import { makeTestMethod } from './effects/cards.ts';
import { type EffectContext, traitsOf } from './effects/effect.ts';
import {
  actionEffect,
  createCheck,
  createEffects,
  deleteEffects,
  later,
  settles,
  updateChecks,
} from './effects.ts';
import type { EventRequest } from './event-log.ts';
import { changedFields, eventName, Happenings } from './events.ts';
import { expand } from './expand.ts';
import {
  deletedFrom,
  deletedObject,
  findObject,
  missingObjectOf,
  nothingSays,
  objectSaying,
  REMEMBERED,
} from './find-object.ts';
import { listFilter } from './list-filter.ts';
import { listPage, v2ListPage } from './list-page.ts';
import type { ObjectMaker } from './make/make-object.ts';
import type { ObjectStore, StripeObject } from './object-store.ts';
import { searchPage } from './search-page.ts';
import type { Listing } from './shelf.ts';

/** A call that was authorised and whose parameters are valid. */
export interface Call {
  readonly operation: Operation;
  /** The ids in the path, first to last. */
  readonly ids: readonly string[];
  /** The path as it was asked, without a query. */
  readonly path: string;
  readonly fields: Fields;
  readonly expansions: readonly Expansion[];
  readonly store: ObjectStore;
  readonly maker: ObjectMaker;
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
  /** Parameters of an older version that change nothing. */
  readonly leftOut?: readonly string[] | undefined;
  /** What events tell of the request, and the version that they have the shape of. */
  readonly events?: { readonly apiVersion: string; readonly request: EventRequest } | undefined;
  /** What an answer looks like to an older version of the API. */
  readonly shape?: ((body: unknown) => unknown) | undefined;
  /** Told of what the call made happen; the events are there for whoever wants them. */
  readonly tell?: ((events: () => readonly StripeObject[]) => void) | undefined;
}

/** A call while it is served, with what it brings about. */
interface Served extends Call, EffectContext {
  readonly happenings: Happenings;
}

/** Says on an answer what the sandbox does not model of it. */
export const NOT_MODELLED = 'x-keyaudit-not-modelled';

/** Serves a call on the objects in memory. */
export function serveOperation(call: Call): Answer {
  const happenings = new Happenings();
  const lacking = new Set<string>(call.leftOut?.map((name) => `the parameter ${name}`));
  const { operation, ids, path, fields, expansions, store, maker, livemode, now, events, shape, tell } = call;
  const served: Served = {
    // Spelled out, since a copy that grows costs as much as the rest of a call.
    operation,
    ids,
    path,
    fields,
    expansions,
    store,
    maker,
    livemode,
    now,
    events,
    shape,
    tell,
    happenings,
    happened: (type, object) => happenings.note(type, object),
    notModelled: (what) => lacking.add(what),
  };
  const answer = missingObjectOf(call) ?? handle(served);
  if (!happenings.isEmpty) {
    const { apiVersion = '', request } = events ?? {};
    const known = happenings.ofTypes(maker.eventTypes);
    const told = store.events.note(known, { livemode, now, apiVersion, request });
    tell?.(told);
  }
  if (lacking.size === 0) return answer;
  return { ...answer, headers: { ...answer.headers, [NOT_MODELLED]: [...lacking].join('; ') } };
}

function handle(call: Served): Answer {
  const answer = handlers[call.operation.kind](call);
  const { expansions, shape } = call;
  if (!isSuccess(answer) || (expansions.length === 0 && shape === undefined)) return answer;
  const body = expansions.reduce<unknown>(
    (whole, { steps }) => expand(whole, steps, call),
    shape === undefined ? answer.body : shape(answer.body),
  );
  return { ...answer, body };
}

const handlers: Readonly<Record<Operation['kind'], (call: Served) => Answer>> = {
  list: (call) => {
    const { operation, path: url, fields: query, store } = call;
    const listing = listed(call);
    const filter = listFilter(operation, query, store);
    return isV2(call)
      ? v2ListPage([...listing.walk({ newestFirst: true })].filter(filter), url, query)
      : listPage(listing, { url, query, filter });
  },
  search: ({ operation, store, path: url, fields: query }) => {
    const collection = collectionOf(operation.path.replace(/\/search$/, ''));
    return searchPage(store.list(collection), { collection, url, query });
  },
  retrieve: (call) => {
    const { operation, store, ids } = call;
    if (operation.path.endsWith('{id}')) return ok(deletedObject(call) ?? addressed(call));
    const collection = collectionOf(operation.path);
    if (collection === 'account') return ok(ownAccount(call));
    if (/\.find$/.test(operation.name)) return found(call);
    return ok(store.find(collection, SINGLETON, ids) ?? singleton(collection, call));
  },
  create: (call) => create(collectionOf(call.operation.path), call),
  update: (call) => {
    const { operation, store, ids, fields, maker } = call;
    if (operation.path.endsWith('{id}')) {
      const object = addressed(call);
      const refused = updateChecks[operation.name]?.(object, call);
      if (refused !== undefined) return refused;
      const before = { ...object };
      maker.update(object, fields, traitsOf(call));
      const answer = actionEffect(operation.name)?.(object, call) ?? ok(object);
      const previous = changedFields(before, object);
      if (previous !== undefined) call.happenings.note(`${eventName(object)}.updated`, object, previous);
      return answer;
    }
    const collection = collectionOf(operation.path);
    const object =
      store.find(collection, SINGLETON, ids) ?? store.add(collection, singleton(collection, call), ids);
    maker.update(object, fields, traitsOf(call));
    return ok(object);
  },
  delete: (call) => {
    const { operation, store, maker } = call;
    if (!operation.path.endsWith('{id}')) {
      const discount =
        takeAwayDiscount(addressed(call), call) ?? maker.makeKind('discount', namesOf(call), traitsOf(call));
      return ok({ ...discount, deleted: true });
    }
    const object = addressed(call);
    const effect = actionEffect(operation.name);
    if (effect !== undefined) return effect(object, call) ?? ok(object);
    const refused = deleteEffects[operation.name]?.(object, call);
    if (refused !== undefined) return refused;
    const collection = lastCollection(call);
    store.remove(collection, object.id);
    call.happened(`${eventName(object)}.deleted`, object);
    if (maker.answeredKind(operation.name) === object.object) return ok(object);
    const gone = { id: object.id, object: object.object };
    const { device_type, serial_number } = object;
    const left = object.object === 'terminal.reader' ? { device_type, serial_number } : {};
    const deleted = isV2(call) ? gone : { ...gone, ...left, deleted: true };
    if (REMEMBERED.has(collection)) store.add(deletedFrom(collection), deleted);
    return ok(deleted);
  },
  action: (call) => {
    const { operation, fields, maker } = call;
    if (call.ids.length === 0) return flatAction(call);
    const object = addressed(call);
    const effect = actionEffect(operation.name);
    if (effect === undefined) maker.update(object, fields, traitsOf(call));
    const answer = effect?.(object, call) ?? ok(answered(object, call));
    if (call.happenings.isEmpty && isSuccess(answer)) call.happened(`${eventName(object)}.updated`, object);
    return answer;
  },
};

/** What an action answers: its object, or one of the kind that it declares, which is kept as well. */
function answered(object: StripeObject, call: Call): StripeObject {
  const { operation, maker, store, ids, fields } = call;
  const kind = maker.answeredKind(operation.name);
  if (kind === undefined || kind === object.object) return object;
  const made = maker.makeKind(kind, { ...fields, ...namesOf(call) }, traitsOf(call));
  const [collection] = collectionsHolding(kind);
  return collection === undefined ? made : store.add(collection, made, ids);
}

/** The ids in the path, by the fields in which an object names what it lies in. */
function namesOf({ operation, ids }: Call): Fields {
  const kinds = objectKindsInPath(operation.path);
  return Object.fromEntries(kinds.map(({ object }, index) => [object.replace(/^.*\./, ''), ids[index]]));
}

/** The id of an object of which an account has just one. */
const SINGLETON = 'singleton';

function create(collection: Collection, call: Served): Answer {
  const { operation, store, ids, fields, maker } = call;
  if (collection.startsWith('customers/payment_methods')) return ok(addressed(call));
  const id = typeof fields.id === 'string' ? fields.id : undefined;
  if (id !== undefined && store.find(collection, id) !== undefined) {
    return errorAnswer(400, {
      code: 'resource_already_exists',
      message: `${objectKind(collection).object} already exists.`,
    });
  }
  const object = maker.make(collection, fields, traitsOf(call));
  const refused = createCheck(object, call) ?? createEffects[operation.name]?.(object, call);
  // What a card refused was tried: Stripe keeps it, as failed.
  if (refused !== undefined && !(refused.status === 402 && KEPT_WHEN_DECLINED.has(collection)))
    return refused;
  store.add(collection, object, ids);
  call.happenings.noteFirst(`${eventName(object)}.created`, object);
  if (collection === 'webhook_endpoints') return ok({ ...object, secret: webhookSecret(object.id) });
  return refused ?? ok(object);
}

const KEPT_WHEN_DECLINED: ReadonlySet<Collection> = new Set(['charges', 'payment_intents', 'setup_intents']);

/** Actions on no object: some make one, some look, and OAuth's are for platforms. */
function flatAction(call: Served): Answer {
  const { operation } = call;
  if (operation.host === 'connect') {
    return {
      status: 400,
      body: { error: 'invalid_request', error_description: 'The sandbox has no connected accounts.' },
    };
  }
  const collection = collectionOf(operation.path.replace(/\/[a-z_]+$/, ''));
  if (/preview$/i.test(operation.name)) return ok(call.maker.make(collection, call.fields, traitsOf(call)));
  if (operation.name === 'apps.secrets.deleteWhere') {
    const secret = objectSaying(call);
    if (secret === undefined) return nothingSays(call);
    call.store.remove(collection, secret.id);
    return ok({ ...secret, deleted: true });
  }
  return create(collection, call);
}

function found(call: Call): Answer {
  const object = objectSaying(call);
  return object === undefined ? nothingSays(call) : ok(object);
}

function listed(call: Served): Listing {
  const { operation, store, ids } = call;
  const collection = collectionOf(operation.path);
  if (collection === 'customers/payment_methods')
    return store.listing('payment_methods', [], (method) => method.customer === ids[0]);
  store.settle(collection, (object) => settles(object, call));
  return store.listing(collection, ids);
}

function lastCollection({ operation }: Call): Collection {
  return idCollectionsOf(operation.path).at(-1) ?? '';
}

/** The object that the last id of the path names; it is known to be there. */
function addressed(call: Served): StripeObject {
  const { store, ids } = call;
  const id = ids.at(-1) ?? '';
  const collection = lastCollection(call);
  const object = findObject(store, collection, id, ids.slice(0, -1));
  if (object === undefined)
    return collection === 'payment_methods' ? makeTestMethod(id, call) : ownAccount(call);
  later(object, call);
  return object;
}

function singleton(collection: Collection, call: Call): StripeObject {
  const { operation, fields, maker, store } = call;
  const given = operation.kind === 'retrieve' ? { ...fields, ...namesOf(call) } : namesOf(call);
  const made = maker.make(collection, given, traitsOf(call));
  made.id ??= SINGLETON;
  return Object.assign(made, collection === 'balance' ? balanceFields(store) : {});
}

function isV2({ operation }: Call): boolean {
  return operation.path.startsWith('/v2/');
}

function ok(object: StripeObject | Fields): Answer {
  if (object.id !== SINGLETON) return { status: 200, body: object };
  const { id: _id, ...rest } = object;
  return { status: 200, body: rest };
}
