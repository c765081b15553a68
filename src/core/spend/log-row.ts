import type { OperationName } from '../catalog/catalog.ts';
import type { Direction } from '../catalog/money-rule.ts';
import type { Currency } from './currency.ts';

/** Every kind of row in the guard's log. `pass`: a call that moves no money and was let through. */
export const ROW_KINDS = [
  'start',
  'stop',
  'policy',
  'issue',
  'end',
  'pass',
  'look-up',
  'reserve',
  'settle',
  'release',
  'hold',
  'overrun',
  'refuse',
  'reconcile',
  'kill',
  'resume',
  'checkpoint',
  'accept',
] as const;
export type RowKind = (typeof ROW_KINDS)[number];

/** What a row says of a call: names and ids, never values, bodies or keys. */
export interface RowCall {
  readonly run: string;
  readonly profile: string;
  readonly operation?: OperationName | undefined;
  readonly method: string;
  /** The template. */
  readonly path?: string | undefined;
  readonly ids?: readonly string[] | undefined;
  readonly account?: string | undefined;
  /** Digest of the profile's guard section, as it was then. */
  readonly policy?: string | undefined;
}

/** How a call went. */
export interface RowOutcome {
  readonly status?: number | undefined;
  readonly code?: string | undefined;
  /** In one word, as in the answer's `Keyaudit-Guard`. */
  readonly verdict?: string | undefined;
  readonly requestId?: string | undefined;
  /** In the guard, and at Stripe, in ms. */
  readonly msGuard?: number | undefined;
  readonly msStripe?: number | undefined;
}

/** A counter before and after a reservation. */
export interface RowTake {
  readonly counter: string;
  readonly cap: number;
  readonly before: number;
  readonly after: number;
}

export interface IssueEvent {
  readonly kind: 'issue';
  readonly run: string;
  readonly profile: string;
  readonly scope: string;
  /** SHA-256 of the run key, in base64url. */
  readonly key: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The run's own caps: they narrow. */
  readonly caps?: readonly string[] | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Operations that may be repeated in this run. */
  readonly repeats?: readonly OperationName[] | undefined;
  /** After so long its counters per run, and its memory of repeats, begin anew, in ms. */
  readonly rollMs?: number | undefined;
}

export interface ReserveEvent extends RowCall {
  readonly kind: 'reserve';
  readonly reservation: string;
  readonly scope: string;
  /** In minor units; absent for a call that is only counted. */
  readonly amount?: number | undefined;
  readonly currency?: Currency | undefined;
  readonly direction: Direction;
  readonly totalOf?: string | undefined;
  readonly object?: string | null | undefined;
  readonly takes: readonly RowTake[];
  readonly calls: readonly RowTake[];
  /** Which of the counters are rolling windows. */
  readonly rolling?: readonly string[] | undefined;
  /** Digest of account, mode and `Idempotency-Key`. */
  readonly key?: string | undefined;
  /** Digest of what the key stands for. */
  readonly content?: string | undefined;
  /** Digest of run, operation, object and amount. */
  readonly repeat?: string | undefined;
}

export interface SettleEvent extends RowOutcome {
  readonly kind: 'settle';
  readonly run?: string | undefined;
  readonly reservation: string;
  readonly operation?: OperationName | undefined;
  /** In minor units. */
  readonly amount: number;
  readonly currency?: Currency | undefined;
  readonly isWhole?: boolean | undefined;
  readonly totalOf?: string | undefined;
  readonly object?: string | null | undefined;
  readonly isPending?: boolean | undefined;
}

export interface EndedEvent extends RowOutcome {
  readonly kind: 'release' | 'hold';
  readonly run?: string | undefined;
  readonly reservation: string;
  readonly operation?: OperationName | undefined;
  readonly why: string;
}

export interface ReconcileEvent {
  readonly kind: 'reconcile';
  readonly reservation: string;
  /** `given-back`: had been settled, and has failed since. */
  readonly outcome: 'settled' | 'released' | 'given-back';
  readonly amount?: number | undefined;
  readonly isWhole?: boolean | undefined;
  readonly totalOf?: string | undefined;
  /** What the call had made. */
  readonly object?: string | undefined;
  readonly isPending?: boolean | undefined;
  readonly evidence: string;
}

/** What a kill or a resume is about. */
export type KillTarget =
  | { readonly of: 'all' }
  | { readonly of: 'profile'; readonly name: string }
  | { readonly of: 'run'; readonly name: string };

export interface KillEvent {
  readonly kind: 'kill' | 'resume';
  readonly target: KillTarget;
  /** How many kills and resumes there have been, this one included. */
  readonly epoch: number;
}

export interface NoteEvent extends Partial<RowCall>, RowOutcome {
  readonly kind:
    | 'pass'
    | 'refuse'
    | 'look-up'
    | 'overrun'
    | 'start'
    | 'stop'
    | 'policy'
    | 'end'
    | 'checkpoint'
    | 'accept';
  readonly reservation?: string | undefined;
  readonly amount?: number | undefined;
  readonly currency?: Currency | undefined;
  readonly direction?: Direction | undefined;
  readonly [more: string]: unknown;
}

/** What happened, before it has a place in the log. */
export type LogEvent =
  | IssueEvent
  | ReserveEvent
  | SettleEvent
  | EndedEvent
  | ReconcileEvent
  | KillEvent
  | NoteEvent;

/** An event in the log. */
export type LogRow = LogEvent & {
  /** From 1. */
  readonly seq: number;
  /** ISO 8601. */
  readonly time: string;
  /** The hash of the row before: RFC 9162's hash of a leaf, in base64url. */
  readonly prev: string;
  /** Which guard wrote it. */
  readonly instance?: string | undefined;
};
