import type { KillTarget } from './log-row.ts';
import type { RunState } from './runs.ts';

/** A call that is being served. */
export interface CallOnItsWay {
  readonly run: string;
  readonly profile: string;
  readonly operation: string;
  reservation?: string | undefined;
  /** In minor units. */
  amount?: number | undefined;
  currency?: string | undefined;
  /** Its first byte has left. */
  isSent: boolean;
  /** How it ended: `settled`, `released`, `held`, `passed`; undefined while it goes on. */
  ended?: string | undefined;
}

/** What a kill came to. */
export interface Killed {
  readonly epoch: number;
  /** From when on nothing leaves, in ms since 1970, and how long it took until that was on disk, in ms. */
  readonly refusedFrom: number;
  readonly writtenMs: number;
  /** Why it is not on disk; it holds in this process all the same. */
  readonly unwritten?: string | undefined;
  /** What had left before, and how it ended. */
  readonly calls: readonly CallOnItsWay[];
  /** Whether all of it has ended. */
  readonly isQuiet: boolean;
  readonly quietMs: number;
}

/** How a guard stands; never a key. Amounts are in minor units. */
export interface GuardStatus {
  readonly url: string;
  /** How many kills and resumes there have been: `resume` names it. */
  readonly epoch: number;
  readonly killed: readonly KillTarget[];
  /** Why nothing can be counted; undefined while it can. */
  readonly failure?: string | undefined;
  /** Requests whose key nobody knows. */
  readonly strangers: number;
  readonly onTheirWay: number;
  readonly profiles: readonly {
    readonly profile: string;
    readonly mode: 'test' | 'live';
    readonly variable: string;
    readonly ttl: string;
    readonly digest: string;
  }[];
  readonly runs: readonly {
    readonly run: string;
    readonly profile: string;
    readonly state: RunState;
    readonly issuedAt: string;
    readonly expiresAt: string;
    readonly labels: Readonly<Record<string, string>>;
  }[];
  /** Reservations whose outcome nobody knows; they stay counted until `reconcile`. */
  readonly held: readonly {
    readonly reservation: string;
    readonly run: string;
    readonly operation: string;
    readonly amount?: number | undefined;
    readonly currency?: string | undefined;
    readonly since: string;
  }[];
  /** What can still come back: refunds and payouts on their way. */
  readonly pending: number;
  /** Every counter that is not at zero, and its cap where a call was taken from it. */
  readonly counters: Readonly<Record<string, number>>;
}

/** What `reconcile` found of one reservation. Amounts are in minor units. */
export interface Reconciled {
  readonly reservation: string;
  readonly run: string;
  readonly operation: string;
  /** What was reserved. */
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
  /** What had moved, of one that is settled. */
  readonly moved?: number | undefined;
  /** `pending`: settled, and still on its way; `unknown`: it stays counted. */
  readonly outcome: 'settled' | 'released' | 'given-back' | 'pending' | 'unknown';
  readonly evidence: string;
}
