/** How a pacer waits; ends early, without an error, when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** The slowest that a pacer gets, in requests a second. */
const SLOWEST_PER_SECOND = 0.5;
/** After each answer that is no 429 the interval shrinks by this factor, back to what was asked. */
const RECOVERY = 0.98;
/** Timers come late by about so much; this is made up for, else every rate would be missed by a little. */
const TIMER_SLACK_MS = 2;

/**
 * Spaces requests evenly, without bursts, so that N requests at a limit of R a second take N/R and
 * meet no 429. Halves its rate on a 429 and recovers slowly.
 */
export class Pacer {
  readonly #baseIntervalMs: number;
  readonly #now: () => number;
  readonly #sleep: Sleep;
  #intervalMs: number;
  #nextAt = 0;
  #last: Promise<void> = Promise.resolve();
  #slowedAt: number | undefined;

  /** `ratePerSecond` undefined: no limit until the first 429. */
  constructor(ratePerSecond: number | undefined, now: () => number, sleep: Sleep) {
    this.#baseIntervalMs = ratePerSecond === undefined ? 0 : 1000 / ratePerSecond;
    this.#intervalMs = this.#baseIntervalMs;
    this.#now = now;
    this.#sleep = sleep;
  }

  /** Whether a 429 has ever slowed this pacer down. */
  get slowedDown(): boolean {
    return this.#slowedAt !== undefined;
  }

  /** Waits for this request's turn; turns come in the order in which they were asked for. */
  turn(signal?: AbortSignal): Promise<void> {
    const turn = this.#last.then(() => this.#wait(signal));
    this.#last = turn;
    return turn;
  }

  async #wait(signal?: AbortSignal): Promise<void> {
    if (this.#intervalMs === 0) return;
    const at = Math.max(this.#nextAt, this.#now());
    await this.#sleepUntil(at, signal);
    // Counted from when the turn really came: time lost by a stall is not made up for by a burst.
    const came = Math.max(at, this.#now());
    const late = Math.min(TIMER_SLACK_MS, came - at);
    this.#nextAt = Math.max(this.#nextAt, came + this.#intervalMs - late);
  }

  async #sleepUntil(at: number, signal?: AbortSignal): Promise<void> {
    const ms = at - this.#now();
    if (ms > 0) await this.#sleep(ms, signal);
  }

  /**
   * A request sent at `sentAt` was answered 429. Those that were under way when the pacer slowed down
   * count as one with the first: a burst of 32 must not halve the rate 32 times.
   */
  slowDown(sentAt: number): void {
    if (this.#slowedAt !== undefined && sentAt < this.#slowedAt) return;
    const now = this.#now();
    this.#slowedAt = now;
    const slowest = 1000 / SLOWEST_PER_SECOND;
    this.#intervalMs = Math.min(slowest, this.#intervalMs === 0 ? 20 : this.#intervalMs * 2);
    this.#nextAt = Math.max(this.#nextAt, now + this.#intervalMs);
  }

  /** The last answer was no 429. */
  recover(): void {
    if (this.#intervalMs > this.#baseIntervalMs) {
      const next = this.#intervalMs * RECOVERY;
      this.#intervalMs = next < 1 ? this.#baseIntervalMs : Math.max(this.#baseIntervalMs, next);
    }
  }
}
