import { randomText } from '../random-text.ts';
import type { StripeObject } from './object-store.ts';
import type { Listing, Range } from './shelf.ts';

/** What the event's request tells of the one that made it happen. */
export interface EventRequest {
  readonly id: string;
  readonly idempotencyKey: string | undefined;
}

/** What the events of one call have in common. */
export interface EventCall {
  readonly livemode: boolean;
  /** In ms since 1970. */
  readonly now: number;
  /** The version that events have the shape of. */
  readonly apiVersion: string;
  readonly request: EventRequest | undefined;
}

/** What happened: `type` to an object, as it was then. */
export interface Happening {
  readonly type: string;
  readonly object: StripeObject;
  /** What the fields that changed were. */
  readonly previous?: Record<string, unknown> | undefined;
}

/** Stripe keeps events for 30 days, the sandbox this many. */
const MOST_EVENTS = 2_000;

/** What an event is made of; most are forgotten before anybody asks for them. */
interface Told {
  readonly happening: Happening;
  readonly call: EventCall;
  event?: StripeObject;
}

/** The newest events of one account and mode. */
export class EventLog implements Listing {
  /** A ring: an event's place is its number, and where it stands what is left of that. */
  readonly #told: (Told | { readonly event: StripeObject })[] = [];
  #count = 0;

  /** Notes what a call made happen. @returns its events, for whoever wants them now */
  note(happenings: readonly Happening[], call: EventCall): () => readonly StripeObject[] {
    const told = happenings.map((happening) => this.#put({ happening, call }));
    return () => told.map(made);
  }

  /** Takes in an event that there is already. */
  add(event: StripeObject): void {
    this.#put({ event });
  }

  find(id: string): StripeObject | undefined {
    const place = this.placeOf(id);
    return place === undefined ? undefined : this.#at(place);
  }

  placeOf(id: string): number | undefined {
    for (let place = this.#count - 1; place >= this.#oldest; place--) {
      if (this.#at(place)?.id === id) return place;
    }
    return undefined;
  }

  *walk({ above = -1, below = this.#count, newestFirst }: Range): Iterable<StripeObject> {
    const low = Math.max(above + 1, this.#oldest);
    const high = Math.min(below, this.#count) - 1;
    for (let step = 0; step <= high - low; step++) {
      const event = this.#at(newestFirst ? high - step : low + step);
      if (event !== undefined) yield event;
    }
  }

  clear(): void {
    this.#told.length = 0;
    this.#count = 0;
  }

  get #oldest(): number {
    return this.#count - this.#told.length;
  }

  #put<T extends Told | { readonly event: StripeObject }>(told: T): T {
    this.#told[this.#count % MOST_EVENTS] = told;
    this.#count++;
    return told;
  }

  #at(place: number): StripeObject | undefined {
    const told = this.#told[place % MOST_EVENTS];
    return told === undefined ? undefined : made(told);
  }
}

function made(told: Told | { readonly event: StripeObject }): StripeObject {
  if (!('happening' in told)) return told.event;
  told.event ??= eventOf(told.happening, told.call);
  return told.event;
}

function eventOf({ type, object, previous }: Happening, call: EventCall): StripeObject {
  const { livemode, now, apiVersion, request } = call;
  return {
    id: `evt_1${randomText(23)}`,
    object: 'event',
    api_version: apiVersion,
    created: Math.floor(now / 1000),
    data: previous === undefined ? { object } : { object, previous_attributes: previous },
    livemode,
    pending_webhooks: 0,
    request: { id: request?.id ?? null, idempotency_key: request?.idempotencyKey ?? null },
    type,
  };
}
