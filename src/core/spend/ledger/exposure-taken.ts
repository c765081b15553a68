/** A counter that a reservation is taken from, such as `refund-agent day 2026-11-25 out usd`, and its cap. */
export interface Take {
  readonly counter: string;
  /** The most that the counter may come to, in minor units. */
  readonly cap: number;
}

/** What a call can move, before it is sent. */
export interface Exposure {
  /** Of this reservation alone. */
  readonly id: string;
  /** In minor units of one currency and one direction: a whole number, at least 0. */
  readonly amount: number;
  /**
   * With it `amount` is the new total of this object, such as a payment intent: of all calls on it only the largest
   * total counts. Without it the amount counts by itself.
   */
  readonly totalOf?: string | undefined;
  readonly takes: readonly Take[];
}

/** The same, with no caps to ask. */
export interface CountedExposure extends Pick<Exposure, 'id' | 'amount'> {
  readonly totalOf?: string | undefined;
  readonly counters: readonly string[];
}

export type Reserved = { readonly reserved: true } | Refused;

/** Nothing was taken from any counter. */
export interface Refused {
  readonly reserved: false;
  /** The first counter that has too little left. */
  readonly counter: string;
  /** How much it has left, at least 0. */
  readonly left: number;
  /** What the call would have taken. */
  readonly asked: number;
}

export interface Settled {
  /** What moved beyond what was reserved; it is counted, over the cap if need be. */
  readonly overrun: number;
}

/** So much, taken from these counters as they were then: a window is never worked out anew. */
export interface Share {
  amount: number;
  counters: readonly string[];
}

/** All that a ledger holds, as JSON. */
export interface LedgerState {
  readonly used: readonly (readonly [counter: string, used: number])[];
  readonly groups: readonly {
    readonly name: string;
    readonly members: readonly (readonly [
      id: string,
      counters: readonly string[],
      total: number,
      settled: boolean,
      reservedAt?: number,
      settledAt?: number,
    ])[];
    readonly shares: readonly Share[];
  }[];
  /** How many things have happened, one more. */
  readonly moment?: number;
}
