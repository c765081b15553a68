import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Catalog, Operation, RouteMatch } from '../core/catalog/catalog.ts';
import { type Expansion, Expansions } from '../core/catalog/expansion.ts';
import { EXIT, KeyauditError } from '../core/error.ts';
import type { SecretKey } from '../core/secret-key.ts';
import { authenticate, expiredKey, refusedAddress } from '../gate/authenticate.ts';
import { OWN_ACCOUNT, PermissionGate } from '../gate/permission-gate.ts';
import { refusal } from '../gate/refusal-message.ts';
import { type Answer, errorAnswer } from '../http/answer.ts';
import { Outbox } from '../http/outbox.ts';
import { readRequest, type SandboxRequest } from '../http/read-request.ts';
import type { RawRequest, Upstream } from '../http/upstream.ts';
import { type Behaviour, defaultBehaviour } from './faults/behaviour.ts';
import { cut, drip, FaultInjector, sendForeign, truncated } from './faults/faults.ts';
import { IdempotencyCache } from './idempotency.ts';
import { KEY_PERMISSIONS_PATH, resolveKeyPermissions } from './keys/key-permissions-endpoint.ts';
import { type Caller, KeyStore } from './keys/key-store.ts';
import { KEYS_PATH, serveManagedKeys, v2Error } from './keys/managed-key-endpoints.ts';
import { createRestrictedKey, RESTRICTED_KEYS_PATH } from './keys/restricted-keys-endpoint.ts';
import { cannotExpand } from './objects/expand.ts';
import { ObjectStore, type StripeObject } from './objects/object-store.ts';
import { missingObjectOf, serveOperation } from './objects/serve-operation.ts';
import { randomText } from './random-text.ts';
import { ParameterValidator } from './validate-parameters.ts';

export interface SandboxOptions {
  readonly catalog: Catalog;
  /** Keeps keys in `.keyaudit/` of this folder; without it they live in memory. */
  readonly cwd?: string;
  readonly host?: string;
  /** 0 (the default) picks a free one. */
  readonly port?: number;
  readonly behaviour?: Partial<Behaviour>;
  /** The clock, in ms since 1970. */
  readonly now?: () => number;
  /** URL of a stripe-mock: what the gate lets through goes on to it, and its answer comes back as it is. */
  readonly upstream?: string;
}

/** A running sandbox. */
export interface Sandbox {
  readonly url: string;
  /** Its test and live secret keys; they open nothing but this server. */
  readonly secretKey: SecretKey;
  readonly liveSecretKey: SecretKey;
  /** May be changed while it runs. */
  readonly behaviour: Behaviour;
  /** Every object that calls have made, all accounts and modes. */
  objects(): readonly StripeObject[];
  /** Requests answered so far, by method and status: `POST 400`. */
  requests(): ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/**
 * Starts the stand-in server: it authenticates, checks permissions over the whole catalog, and serves
 * objects in memory. docs/fidelity.md says where it differs from Stripe.
 * @throws KeyauditError `PORT_TAKEN`, `STORE_UNWRITABLE`, `SANDBOX_STATE_BROKEN`
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const now = options.now ?? Date.now;
  const keys = await KeyStore.open(options.cwd, now);
  const behaviour: Behaviour = { ...defaultBehaviour(), ...options.behaviour };
  const upstream =
    options.upstream === undefined
      ? undefined
      : new (await import('../http/upstream.ts')).Upstream(options.upstream);
  const server = new SandboxServer({ catalog: options.catalog, keys, behaviour, now, upstream });
  const url = await server.listen(options.host ?? '127.0.0.1', options.port ?? 0);
  return {
    url,
    secretKey: keys.secretKey('test'),
    liveSecretKey: keys.secretKey('live'),
    behaviour,
    objects: () => server.objects(),
    requests: () => server.requests,
    close: () => server.close(),
  };
}

interface Parts {
  readonly catalog: Catalog;
  readonly keys: KeyStore;
  readonly behaviour: Behaviour;
  readonly now: () => number;
  readonly upstream: Upstream | undefined;
}

/** A request, and who makes it. */
interface Asked {
  readonly request: SandboxRequest;
  readonly caller: Caller;
  readonly token: string;
}

/** Larger than any upload of the API's own; Stripe takes files up to 16 MB. */
const BODY_LIMIT = 17_000_000;

/** Longer than a client pauses between two requests, so that its connection is still there. */
const KEEP_ALIVE_MS = 72_000;

class SandboxServer {
  readonly requests = new Map<string, number>();
  readonly #parts: Parts;
  readonly #gate: PermissionGate;
  readonly #expansions: Expansions;
  readonly #validator = new ParameterValidator();
  readonly #idempotency = new IdempotencyCache();
  readonly #faults = new FaultInjector();
  readonly #outbox = new Outbox();
  readonly #stores = new Map<string, ObjectStore>();
  readonly #server: Server;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#gate = new PermissionGate(parts.catalog);
    this.#expansions = new Expansions(parts.catalog);
    // The catalog finds the operation, and answers are made by hand: a router would only stand between.
    this.#server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS }, (request, response) => {
      void this.#receive(request, response);
    });
  }

  async listen(host: string, port: number): Promise<string> {
    try {
      this.#server.listen(port, host);
      await once(this.#server, 'listening');
      const { port: own } = this.#server.address() as AddressInfo;
      return `http://${host.includes(':') ? `[${host}]` : host}:${own}`;
    } catch (cause) {
      const { code } = cause as NodeJS.ErrnoException;
      throw new KeyauditError('PORT_TAKEN', `The sandbox cannot listen on ${host}:${port} (${code}).`, {
        hint:
          code === 'EADDRINUSE'
            ? 'Something else listens there; --port 0 picks a free one.'
            : 'Choose another --host or --port.',
        exitCode: EXIT.usage,
        cause,
      });
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    this.#parts.upstream?.close();
  }

  objects(): readonly StripeObject[] {
    return [...this.#stores.values()].flatMap((store) => store.all());
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const body = await bodyOf(request);
      const { method = 'GET', url = '/', headers } = request;
      if (body !== undefined) await this.#answer({ method, url, headers, body }, response);
      else this.#put(errorAnswer(413, { message: 'The request body is too large.' }), response, {});
    } catch (error) {
      // Who cut the connection hears no answer.
      if (response.destroyed || response.headersSent) return;
      const message = `The sandbox failed; this is a bug of keyaudit (${(error as Error).name}).`;
      this.#put(errorAnswer(500, { type: 'api_error', message }), response, {});
    }
  }

  async #answer(raw: RawRequest, response: ServerResponse): Promise<void> {
    const { behaviour, now } = this.#parts;
    if (behaviour.latencyMs > 0) await delay(behaviour.latencyMs, undefined, { ref: false });
    const fault = this.#faults.next(behaviour, now());
    if (fault === 'reset') return cut(response);
    if (fault === 'hang') return;
    const requestId = `req_${randomText(14)}`;
    const headers: Record<string, string> = { 'request-id': requestId };
    if (typeof fault === 'object' && 'answer' in fault) return this.#put(fault.answer, response, headers);
    const parsed = await readRequest(raw);
    if ('refusal' in parsed) return this.#put(parsed.refusal, response, headers);
    const answer = await this.#serve(parsed, requestId);
    if (answer === 'lost') return cut(response);
    if (typeof fault === 'object' && 'foreign' in fault) return sendForeign(fault.foreign, response, answer);
    if (answer.raw !== undefined) return this.#put(answer, response, headers, fault === 'truncate');
    headers['stripe-version'] = parsed.version ?? this.#parts.catalog.apiVersion;
    if (parsed.idempotencyKey !== undefined) headers['idempotency-key'] = parsed.idempotencyKey;
    this.#put(answer, response, headers, fault === 'truncate');
  }

  /** Counts an answer and hands it over for sending; `headers` becomes its own. */
  #put(answer: Answer, response: ServerResponse, headers: Record<string, string>, truncate = false): void {
    const { behaviour, now } = this.#parts;
    const counted = `${response.req.method} ${answer.status}`;
    this.requests.set(counted, (this.requests.get(counted) ?? 0) + 1);
    const text = answer.raw ?? JSON.stringify(answer.body);
    const all = Object.assign(headers, answer.headers);
    if (answer.raw === undefined) all['content-type'] ??= 'application/json';
    if (behaviour.clockSkewSeconds !== 0) {
      all.date = new Date(now() + behaviour.clockSkewSeconds * 1000).toUTCString();
    }
    if (behaviour.slowBodyMs > 0) {
      void drip(response, { status: answer.status, headers: all, text, overMs: behaviour.slowBodyMs });
      return;
    }
    const body = truncate ? truncated(text) : text;
    all['content-length'] = `${Buffer.byteLength(body)}`;
    response.writeHead(answer.status, all);
    this.#outbox.end(response, body);
  }

  /** Authentication, then the URL, then permissions, then parameters, then the objects: Stripe's order. */
  async #serve(request: SandboxRequest, requestId: string): Promise<Answer | 'lost'> {
    const { behaviour, keys, catalog, upstream } = this.#parts;
    if (behaviour.refuseAddress) return refusedAddress();
    const who = authenticate(request.authorization, keys);
    if ('refusal' in who) return who.refusal;
    const { caller, token } = who;
    if (caller.kind === 'restricted' && this.#faults.keysAreDead(behaviour)) return expiredKey(token);
    const { version } = request;
    if (version !== undefined && !/^\d{4}-\d{2}-\d{2}(?:\.[a-z]+)?$/.test(version)) {
      return errorAnswer(400, {
        code: 'invalid_api_version',
        message: `Invalid Stripe API version: ${version.slice(0, 40)}`,
      });
    }
    const own = await this.#serveKeys(request, caller, token, requestId);
    if (own !== undefined) return own;
    const found = matched(catalog, request);
    if (found !== undefined) return this.#serveCall(found, { request, caller, token }, requestId);
    // What the catalog does not know no permission opens.
    return upstream !== undefined && caller.kind === 'secret'
      ? upstream.send(request.raw)
      : unknownUrl(request.method, request.path);
  }

  async #serveCall({ operation, ids }: RouteMatch, asked: Asked, requestId: string): Promise<Answer> {
    const { behaviour, upstream, now } = this.#parts;
    const { request, caller } = asked;
    const reached = request.expand.map((path) => ({
      path,
      expansion: this.#expansions.find(operation, path),
    }));
    const expansions = reached.flatMap(({ expansion }) => expansion ?? []);
    const refused = this.#refused(operation, expansions, asked);
    const isBlind = behaviour.blind.includes(operation.name);
    if (refused !== undefined && !isBlind) return refused;
    if (refused === undefined) {
      const odd = reached.find(({ expansion }) => expansion === undefined);
      // A server behind the gate may know the field; which permission opens it nobody does.
      if (odd !== undefined && (upstream === undefined || caller.kind === 'restricted')) {
        return cannotExpand(operation, odd.path, this.#expansions);
      }
      if (upstream !== undefined) return upstream.send(request.raw);
    }
    const wrong = this.#validator.check(operation, request.fields);
    if (wrong !== undefined) return wrong;
    const fields = this.#validator.coerce(operation, request.fields);
    const store = this.#store(caller.livemode, request.account);
    const call = {
      operation,
      ids,
      path: request.path,
      fields,
      expansions,
      store,
      livemode: caller.livemode,
      now: now(),
    };
    // A blind endpoint looks at what was sent first; what would go through is still refused.
    if (refused !== undefined) return missingObjectOf(call) ?? refused;
    return this.#once(request, caller, requestId, async () => serveOperation(call));
  }

  #refused(
    operation: Operation,
    expansions: readonly Expansion[],
    { request, caller, token }: Asked,
  ): Answer | undefined {
    const { behaviour, catalog, now } = this.#parts;
    if (caller.kind === 'restricted' && behaviour.impossible.includes(operation.name)) {
      return refusal('d', { catalog, token, account: OWN_ACCOUNT, permissions: [] });
    }
    return this.#gate.check({
      caller,
      token,
      operation,
      expansions,
      dialect: behaviour.dialect,
      now: now(),
      account: request.account,
    });
  }

  /** The endpoints that make and explain keys, which the SDK, and so the catalog, does not have. */
  async #serveKeys(
    request: SandboxRequest,
    caller: Caller,
    token: string,
    requestId: string,
  ): Promise<Answer | 'lost' | undefined> {
    const { catalog, keys, behaviour, now } = this.#parts;
    const { method, path, fields } = request;
    const isManaged = path === KEYS_PATH || path.startsWith(`${KEYS_PATH}/`);
    const isRestricted = path === RESTRICTED_KEYS_PATH && method === 'POST';
    const isResolver = path === KEY_PERMISSIONS_PATH && method === 'POST';
    if (!isManaged && !isRestricted && !isResolver) return undefined;
    if (isResolver) return resolveKeyPermissions(fields, catalog, this.#expansions);
    const refused = isManaged && caller.kind === 'secret' && behaviour.keyApi === 'refused';
    if (refused || !this.#gate.holds(caller, 'api_key_write', now())) {
      const context = {
        catalog,
        token,
        account: OWN_ACCOUNT,
        permissions: ['api_key_write'],
      };
      return refusal(behaviour.dialect, context);
    }
    const answer = await this.#once(request, caller, requestId, async () => {
      if (isRestricted) {
        return createRestrictedKey(fields, { catalog, keys, caller, grantsMore: behaviour.grantsMore });
      }
      const call = {
        ...request,
        caller,
        query: fields,
        body: fields,
        version: request.version ?? '',
        now: now(),
      };
      const served = await serveManagedKeys(call, { catalog, keys, behaviour });
      return served ?? unknownUrl(method, path);
    });
    const made = method === 'POST' && answer.status === 200 && (path === KEYS_PATH || isRestricted);
    return made && this.#faults.losesKeyAnswer(behaviour) ? 'lost' : answer;
  }

  #once(
    request: SandboxRequest,
    caller: Caller,
    requestId: string,
    serve: () => Promise<Answer>,
  ): Promise<Answer> {
    const { idempotencyKey, method, account, raw } = request;
    if (method !== 'POST' || idempotencyKey === undefined) return serve();
    const scope = `${caller.livemode} ${account ?? ''}`;
    const content = `${raw.url}\n${raw.body.toString('latin1')}`;
    return this.#idempotency.once(idempotencyKey, { scope, content, requestId }, serve);
  }

  #store(livemode: boolean, account = OWN_ACCOUNT): ObjectStore {
    const name = `${account} ${livemode}`;
    const known = this.#stores.get(name);
    if (known !== undefined) return known;
    const store = new ObjectStore();
    this.#stores.set(name, store);
    return store;
  }
}

const NO_BODY = Buffer.alloc(0);

/** All of a body; undefined when it is too large, and then the rest is read and dropped. */
function bodyOf(request: IncomingMessage): Promise<Buffer | undefined> {
  const { 'content-length': length, 'transfer-encoding': encoding } = request.headers;
  if (length === undefined && encoding === undefined) return Promise.resolve(NO_BODY);
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= BODY_LIMIT) chunks.push(chunk);
    });
    request.on('end', () => resolve(size <= BODY_LIMIT ? Buffer.concat(chunks) : undefined));
    request.on('error', reject);
  });
}

/** In Stripe's words for a URL that it does not have. */
function unknownUrl(method: string, path: string): Answer {
  const message = `Unrecognized request URL (${method}: ${path}). Please see https://stripe.com/docs or we can help at https://support.stripe.com/.`;
  return path.startsWith('/v2/') ? v2Error(404, message, 'unknown_url') : errorAnswer(404, { message });
}

/**
 * The operation, and its ids decoded. What a server behind the gate may read as a part of the path, a slash or dots,
 * is no id: it would do something else than the gate was asked for.
 */
function matched(catalog: Catalog, { method, path }: SandboxRequest): RouteMatch | undefined {
  const found = catalog.match(method, path);
  if (found === undefined || found.ids.length === 0) return found;
  const ids = path.includes('%') ? found.ids.map(decoded) : found.ids;
  return ids.some((id) => /^\.\.?$|\//.test(id)) ? undefined : { ...found, ids };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}
