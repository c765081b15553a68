import type { ReserveEvent, SettleEvent } from '../log-row.ts';

/** A reservation that is not settled: open while its call is under way, held when its outcome is unknown. */
export interface OpenReservation {
  readonly event: ReserveEvent;
  /** When it was reserved, and held again after a further sending, in ms since 1970. */
  readonly at: number;
  heldAt?: number;
  state: 'open' | 'held';
}

/** A settled reservation whose money is still on its way, so that it can come back. */
export interface PendingReservation {
  readonly event: ReserveEvent;
  readonly settled: SettleEvent;
  readonly at: number;
}

/** What an idempotency key stood for. */
export interface KnownKey {
  readonly profile: string;
  readonly content: string;
  readonly reservation: string;
  /** When it was first used, in ms since 1970. */
  readonly at: number;
  /** What the call made or changed, once it is settled. */
  readonly object?: string | null | undefined;
}
