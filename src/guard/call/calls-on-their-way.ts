import { LONGEST_TIMER_MS } from '../../core/duration.ts';
import type { CallOnItsWay } from '../../core/spend/guard-status.ts';
import type { KillTarget, ReserveEvent } from '../../core/spend/log-row.ts';

/** The calls that are being served, for whoever must wait for them. */
export class CallsOnTheirWay {
  readonly #calls = new Set<CallOnItsWay>();
  readonly #waiting = new Set<() => void>();

  get size(): number {
    return this.#calls.size;
  }

  begin(call: CallOnItsWay): void {
    this.#calls.add(call);
  }

  end(call: CallOnItsWay): void {
    this.#calls.delete(call);
    for (const look of this.#waiting) look();
  }

  /** Whether a call that belongs to a reservation is being served. */
  has(reservation: string): boolean {
    return [...this.#calls].some((call) => call.reservation === reservation);
  }

  /** Whether a call is being served that may have made the same as another one. */
  hasLike({ operation, amount, currency }: Pick<ReserveEvent, 'operation' | 'amount' | 'currency'>): boolean {
    return [...this.#calls].some(
      (call) => call.operation === operation && call.amount === amount && call.currency === currency,
    );
  }

  /** Those of a run, a profile or all whose first byte has left. */
  sentOf(target: KillTarget): readonly CallOnItsWay[] {
    return [...this.#calls].filter((call) => call.isSent && isOf(call, target));
  }

  /** Resolved when these have ended, or time is up. @returns whether all have ended */
  async ended(calls: readonly CallOnItsWay[], timeoutMs: number): Promise<boolean> {
    const areEnded = () => calls.every((call) => !this.#calls.has(call));
    if (areEnded()) return true;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(done, Math.min(timeoutMs, LONGEST_TIMER_MS));
      const look = () => {
        if (areEnded()) done();
      };
      const waiting = this.#waiting;
      waiting.add(look);
      function done() {
        clearTimeout(timer);
        waiting.delete(look);
        resolve();
      }
    });
    return areEnded();
  }

  /** Resolved when none is left, or time is up. */
  idle(timeoutMs: number): Promise<boolean> {
    return this.ended([...this.#calls], timeoutMs);
  }
}

function isOf({ run, profile }: CallOnItsWay, target: KillTarget): boolean {
  if (target.of === 'all') return true;
  return target.name === (target.of === 'run' ? run : profile);
}
