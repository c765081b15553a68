import type { Host } from '../core/catalog/catalog.ts';
import type { SecretKey } from '../core/secret-key.ts';
import type { LookUp, StripeFacts } from '../core/spend/exposure/money-call.ts';
import { type Forwarded, Forwarder } from '../http/forward.ts';
import type { HeaderPair, RawRequest } from '../http/raw-request.ts';

/** Longest wait for the answer to a look-up, in ms. */
const LOOK_UP_MS = 5_000;
/** Connections for calls and for look-ups: a look-up never waits for a call that waits for it. */
const CONNECTIONS = 256;
const LOOK_UP_CONNECTIONS = 64;

/** Where requests go, for each of Stripe's hosts. */
export type Origins = Readonly<Record<Host, string>>;

/** Stripe's own hosts, and any other server for all of them. */
export function originsOf(apiBase: string): Origins {
  if (apiBase !== 'https://api.stripe.com') {
    return { api: apiBase, files: apiBase, connect: apiBase, 'meter-events': apiBase };
  }
  return {
    api: apiBase,
    files: 'https://files.stripe.com',
    connect: 'https://connect.stripe.com',
    'meter-events': 'https://meter-events.stripe.com',
  };
}

/** The connections to Stripe; all profiles share them. */
export class Lines {
  readonly #origins: Origins;
  readonly #timeoutMs: number | undefined;
  readonly #forwarders = new Map<string, Forwarder>();
  readonly #lookUps: Forwarder;
  /** Longest wait for the answer to a look-up, in ms. */
  readonly lookUpMs: number;

  /** @param waits longest wait for an answer (default 80,000 ms, as the SDKs), and for that of a look-up (5,000) */
  constructor(
    origins: Origins,
    { timeoutMs, lookUpMs = LOOK_UP_MS }: { readonly timeoutMs?: number; readonly lookUpMs?: number } = {},
  ) {
    this.#origins = origins;
    this.#timeoutMs = timeoutMs;
    this.lookUpMs = lookUpMs;
    this.#lookUps = new Forwarder({
      origin: origins.api,
      timeoutMs: lookUpMs,
      connections: LOOK_UP_CONNECTIONS,
    });
  }

  to(host: Host): Forwarder {
    const origin = this.#origins[host];
    const known = this.#forwarders.get(origin);
    if (known !== undefined) return known;
    const timeoutMs = this.#timeoutMs;
    const made = new Forwarder({
      origin,
      connections: CONNECTIONS,
      timeoutMs,
    });
    this.#forwarders.set(origin, made);
    return made;
  }

  get lookUps(): Forwarder {
    return this.#lookUps;
  }

  async close(): Promise<void> {
    await Promise.all([this.#lookUps, ...this.#forwarders.values()].map((one) => one.close()));
  }
}

/** Stripe as one profile reaches it: with its restricted key. */
export class Upstream {
  readonly #key: SecretKey;
  readonly #lines: Lines;
  readonly #version: string;

  constructor(key: SecretKey, lines: Lines, version: string) {
    this.#key = key;
    this.#lines = lines;
    this.#version = version;
  }

  /** @param maySend asked right before the first byte leaves */
  send(host: Host, request: RawRequest, maySend: () => boolean): Promise<Forwarded> {
    return this.#lines.to(host).forward(request, { key: this.#key, maySend });
  }

  /** Asks Stripe something that changes nothing. Undefined for whatever is no whole, good answer of Stripe's. */
  async lookUp(
    { method, path, body }: LookUp,
    account: string | undefined,
  ): Promise<StripeFacts | undefined> {
    const headers: HeaderPair[] = [
      ['Accept-Encoding', 'identity'],
      ['Stripe-Version', this.#version],
      ['User-Agent', 'keyaudit-guard'],
    ];
    if (account !== undefined) headers.push(['Stripe-Account', account]);
    if (body !== undefined) headers.push(['Content-Type', 'application/x-www-form-urlencoded']);
    const request = {
      method,
      url: path,
      headers: {},
      rawHeaders: headers.flat(),
      body: Buffer.from(body ?? ''),
      remoteAddress: undefined,
    };
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), this.#lines.lookUpMs);
    });
    try {
      const answer = await Promise.race([this.#lines.lookUps.forward(request, { key: this.#key }), late]);
      return answer?.kind === 'answered' && answer.status === 200 ? factsIn(answer) : undefined;
    } finally {
      clearTimeout(timer);
    }
  }
}

type Answered = Extract<Forwarded, { kind: 'answered' }>;

/** Whether it was Stripe that answered: every answer of its API has an id. */
export function requestIdOf({ headers }: Pick<Answered, 'headers'>): string | undefined {
  const [, id] = headers.find(([name]) => name.toLowerCase() === 'request-id') ?? [];
  return id === undefined || id === '' ? undefined : id;
}

/** The object that an answer holds; undefined for what is no JSON object, or not Stripe's. */
export function factsIn(answer: Answered): StripeFacts | undefined {
  if (requestIdOf(answer) === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(answer.body.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as StripeFacts)
      : undefined;
  } catch {
    return undefined;
  }
}
