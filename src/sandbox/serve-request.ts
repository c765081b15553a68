import { BeyondSdk, isBeyondSdk } from '../core/catalog/beyond-sdk.ts';
import type { Operation } from '../core/catalog/catalog.ts';
import { beyondSdkRows } from '../core/catalog/data/beyond-sdk.ts';
import { OLDEST_VERSION } from '../core/catalog/older-versions.ts';
import type { Decision, Holder } from '../gate/gate.ts';
import { type VersionView, VersionViews } from '../gate/version-view.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import type { Fields } from '../http/form-body.ts';
import type { ApiRequest } from '../http/read-request.ts';
import { authenticate, expiredKey, refusedAddress } from './authenticate.ts';
import type { FaultInjector } from './faults/faults.ts';
import { IdempotencyCache } from './idempotency.ts';
import { permissionsInForce } from './keys/key-state.ts';
import type { Caller } from './keys/key-store.ts';
import { v2Error } from './keys/managed-key-endpoints.ts';
import { isKeyEndpoint, serveKeyEndpoint } from './keys/serve-key-endpoint.ts';
import { cannotExpand } from './objects/expand.ts';
import { missingObjectOf } from './objects/find-object.ts';
import type { ObjectStore, StripeObject } from './objects/object-store.ts';
import { isOpen, serveBeyondSdk } from './objects/serve-beyond-sdk.ts';
import { serveOperation } from './objects/serve-operation.ts';
import { isConnected, OWN_ACCOUNT } from './own-account.ts';
import { type ReadParameters, readParameters } from './read-parameters.ts';
import { refusal } from './refusal-message.ts';
import type { SandboxParts } from './sandbox-server.ts';
import { isOfSandbox, serveOfSandbox } from './serve-of-sandbox.ts';
import { alsoTaken, versionNotModelled } from './versions/also-taken.ts';
import { inOlderShape } from './versions/older-answers.ts';
import { serveUsageRecords, upcomingInvoice, upcomingLines } from './versions/older-calls.ts';
import { inNewestWords, leftOut } from './versions/older-parameters.ts';
import { WebhookSender } from './webhooks/webhook-sender.ts';

/** A request, and who makes it. */
export interface Asked {
  readonly request: ApiRequest;
  readonly caller: Caller;
  readonly token: string;
  readonly requestId: string;
}

/** Serves one request: authentication, then the URL, then permissions, then parameters, then the objects. */
export class RequestServer {
  readonly #parts: SandboxParts;
  readonly #faults: FaultInjector;
  readonly #views: VersionViews;
  readonly #idempotency = new IdempotencyCache();
  readonly #webhooks: WebhookSender;

  constructor(parts: SandboxParts, faults: FaultInjector) {
    this.#parts = parts;
    this.#faults = faults;
    this.#webhooks = new WebhookSender({ now: parts.now });
    this.#views = new VersionViews(parts.catalog, new BeyondSdk(beyondSdkRows, parts.catalog), {
      hasBeyondCalls: true,
    });
  }

  close(): void {
    this.#webhooks.close();
  }

  /** What the answer to a version of the API does not have of it. */
  notModelled(version: string | undefined): string | undefined {
    return versionNotModelled(version, this.#views.of(version), this.#parts.catalog.apiVersion);
  }

  async serve(request: ApiRequest, requestId: string): Promise<Answer | 'lost'> {
    const answer = await this.#serve(request, requestId);
    return answer === 'lost'
      ? answer
      : this.#parts.objects.keep(answer, { isRead: request.method === 'GET' });
  }

  async #serve(request: ApiRequest, requestId: string): Promise<Answer | 'lost'> {
    const { behaviour, keys, behind } = this.#parts;
    if (behaviour.refuseAddress) return refusedAddress();
    const who = authenticate(request.authorization, keys);
    if ('refusal' in who) return who.refusal;
    const { caller, token } = who;
    const asked = { request, caller, token, requestId };
    if (caller.kind === 'restricted' && this.#faults.keysAreDead(behaviour)) return expiredKey(token);
    if (isOfSandbox(request)) {
      return serveOfSandbox(asked, () => {
        this.#idempotency.clear();
        this.#webhooks.forget();
        return this.#parts.objects.reset();
      });
    }
    const { version, account } = request;
    if (version !== undefined && !/^\d{4}-\d{2}-\d{2}(?:\.[a-z]+)?$/.test(version)) {
      return errorAnswer(400, {
        code: 'invalid_api_version',
        message: `Invalid Stripe API version: ${version.slice(0, 40)}`,
      });
    }
    const view = this.#views.of(version);
    if (isKeyEndpoint(request)) return this.#serveKeys(asked, view);
    const holder = this.#holderOf(caller);
    const { method, path, expand } = request;
    const decision = view.gate.decide({ method, path, expand, connect: isConnected(account) }, holder);
    // What the catalog does not know no permission opens.
    const known = decision.kind === 'unknown' ? decision.call : decision;
    const isThere =
      known !== undefined &&
      (!isBeyondSdk(known.operation) || (behaviour.previews && isOpen(known.operation, version)));
    if (!isThere) {
      return behind !== undefined && holder === 'everything'
        ? behind.send(request.raw)
        : unknownUrl(request.method, request.path);
    }
    return this.#serveCall(decision, asked, view);
  }

  async #serveCall(decision: Decision, asked: Asked, view: VersionView): Promise<Answer> {
    const { behaviour, behind, now, maker, objects } = this.#parts;
    const { request, caller } = asked;
    const known = decision.kind === 'unknown' ? decision.call : decision;
    if (known === undefined) throw new RangeError('a call that is served is known');
    const { operation, ids, expansions } = known;
    const refused = this.#refusalOf(decision, operation.name, asked);
    const isBlind = behaviour.blind.includes(operation.name);
    if (refused !== undefined && !isBlind) return refused;
    if (refused === undefined) {
      const odd = decision.kind === 'unknown' ? decision.expansion : undefined;
      // A server behind the gate may know the field; which permission opens it nobody does.
      if (odd !== undefined && (behind === undefined || caller.kind === 'restricted')) {
        return cannotExpand(operation, odd, view.expansions);
      }
      if (behind !== undefined) return behind.send(request.raw);
    }
    const { livemode } = caller;
    const store = objects.stores.of(livemode, request.account);
    if (isBeyondSdk(operation)) {
      const older = { ids, fields: request.fields, store, livemode, now: now() };
      return serveUsageRecords(operation, older) ?? serveBeyondSdk(operation, ids);
    }
    const isGone = view.older?.calls.has(`${request.method}_${request.path}`) === true;
    const lines = isGone && refused === undefined ? upcomingLines(request.path) : undefined;
    if (lines !== undefined) return lines;
    const upcoming = isGone ? upcomingInvoice(request.path, this.#parts.catalog) : undefined;
    const read: Read =
      upcoming === undefined ? this.#read(operation, request, view) : { fields: request.fields };
    if ('refusal' in read) return read.refusal;
    const call = {
      operation: upcoming ?? operation,
      ids: upcoming === undefined ? ids : [],
      path: request.path,
      fields: read.fields,
      expansions,
      store,
      maker,
      livemode,
      now: now(),
      shape: shapeOf(view, request.version, store),
      leftOut: read.leftOut,
      events: {
        apiVersion: this.#parts.catalog.apiVersion,
        request: { id: asked.requestId, idempotencyKey: request.idempotencyKey },
      },
      tell: (events: () => readonly StripeObject[]) => this.#webhooks.tell(store, events),
    };
    // A blind endpoint looks at what was sent first; what would go through is still refused.
    if (refused !== undefined) return missingObjectOf(call) ?? refused;
    return this.#once(asked, async () => serveOperation(call));
  }

  /** Who names no version may mean any: what the newest does not take, an older one may. */
  #read(operation: Operation, { fields, version }: ApiRequest, view: VersionView): Read {
    const { types } = this.#parts;
    const { name } = operation;
    const read = readParameters(operation, fields, { types, alsoTaken: alsoTaken(view, name) });
    if (!('refusal' in read)) {
      return view.older === undefined ? read : this.#inNewestWords(operation, read.fields);
    }
    if (version !== undefined) return read;
    const oldest = alsoTaken(this.#views.of(OLDEST_VERSION), name);
    const again = readParameters(operation, fields, { types, alsoTaken: oldest });
    return 'refusal' in again ? read : this.#inNewestWords(operation, again.fields);
  }

  #inNewestWords(operation: Operation, given: Fields): Read {
    const fields = inNewestWords(operation.name, given);
    return { fields, leftOut: leftOut(operation, fields, this.#parts.types) };
  }

  /** The decision in Stripe's words; undefined where the call may go on. */
  #refusalOf(decision: Decision, operation: string, { request, caller, token }: Asked): Answer | undefined {
    const { behaviour, catalog } = this.#parts;
    const { account = OWN_ACCOUNT } = request;
    const words = { catalog, token, account };
    if (caller.kind === 'restricted' && behaviour.impossible.includes(operation)) {
      return refusal('d', { ...words, account: OWN_ACCOUNT, permissions: [] });
    }
    if (isConnected(account) && !/^acct_[A-Za-z0-9]+$/.test(account)) {
      return refusal('g', { ...words, permissions: [] });
    }
    if (decision.kind !== 'forbidden') return undefined;
    if (decision.because === 'no-connect-permissions') return refusal('f', { ...words, permissions: [] });
    const named = behaviour.refusalNames[operation];
    const permissions = named === undefined ? decision.lacking : [named];
    return refusal(behaviour.dialect, { ...words, permissions });
  }

  async #serveKeys(asked: Asked, { gate, expansions }: VersionView): Promise<Answer | 'lost'> {
    const { request, caller } = asked;
    const served = await serveKeyEndpoint(asked, {
      ...this.#parts,
      expansions,
      mayMakeKeys: gate.holds(this.#holderOf(caller), 'api_key_write', {
        connect: isConnected(request.account),
      }),
      once: (serve) => this.#once(asked, serve),
      losesAnswer: () => this.#faults.losesKeyAnswer(this.#parts.behaviour),
    });
    return served ?? unknownUrl(request.method, request.path);
  }

  #holderOf(caller: Caller): Holder {
    return caller.kind === 'secret' ? 'everything' : permissionsInForce(caller.key, this.#parts.now());
  }

  #once({ request, caller, requestId }: Asked, serve: () => Promise<Answer>): Promise<Answer> {
    const { idempotencyKey, method, account, raw } = request;
    if (method !== 'POST' || idempotencyKey === undefined) return serve();
    const scope = `${caller.livemode} ${account ?? ''}`;
    const content = `${raw.url}\n${raw.body.toString('latin1')}`;
    return this.#idempotency.once(idempotencyKey, { scope, content, requestId }, serve);
  }
}

/** Parameters, and which of them come to nothing. */
type Read = ReadParameters & { readonly leftOut?: readonly string[] | undefined };

function shapeOf({ older }: VersionView, version: string | undefined, store: ObjectStore) {
  if (older === undefined || version === undefined) return undefined;
  return (body: unknown) => inOlderShape(body, { version, store });
}

/** In Stripe's words for a URL that it does not have. */
function unknownUrl(method: string, path: string): Answer {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`;
  return path.startsWith('/v2/') ? v2Error(404, message, 'unknown_url') : errorAnswer(404, { message });
}
