import type { Operation } from '../../catalog/catalog.ts';
import type { Direction, MoneyRule } from '../../catalog/money-rule.ts';
import type { Currency } from '../currency.ts';
import type { FormFields } from './strict-form.ts';

/** What of the profile's policy decides how a call is read. */
export interface ReadingPolicy {
  /** Whether a payment intent counts when it is confirmed, or when it is created already. */
  readonly intents: 'confirm' | 'create';
  /** Connected accounts that money may go to. */
  readonly accounts: readonly string[];
  /** Operations that are let through by number, without an amount. */
  readonly unpriced: readonly string[];
  /** Whether a cap counts by charge or by customer, so that both must be known. */
  readonly needs: { readonly charge: boolean; readonly customer: boolean };
}

/** A write, read. */
export interface MoneyCall {
  readonly operation: Operation;
  readonly rule: MoneyRule;
  /** The ids in its path, decoded. */
  readonly ids: readonly string[];
  readonly fields: FormFields;
  readonly policy: ReadingPolicy;
}

/** An answer to a look-up: an object of Stripe's. */
export type StripeFacts = Readonly<Record<string, unknown>>;

/** A question to Stripe, by the upstream key, that changes nothing. */
export interface LookUp {
  readonly method: 'GET' | 'POST';
  /** With the query. */
  readonly path: string;
  readonly body?: string;
}

/** What a call can move. */
export interface CallExposure {
  readonly direction: Direction;
  /** In minor units: a whole number, at least 0. */
  readonly amount: number;
  readonly currency: Currency;
  /** The object of which `amount` is the new total; `new` for one that the answer will name. */
  readonly totalOf?: string;
  /** What the call is about, for caps by object and for repeats. */
  readonly object: string | null;
  readonly charge?: string | null;
  readonly customer?: string | null;
  /** What was asked for, for telling a repeat: the amount, or that none was given. */
  readonly asked: string;
}

/** What a write comes to before it is sent. */
export type ExposureReading =
  /** It moves no money. */
  | { readonly kind: 'nothing' }
  /** One must ask first. */
  | { readonly kind: 'look-up'; readonly lookUp: LookUp }
  /** What it moves nobody can tell, or it decides where money goes: let through by name only, and counted. */
  | { readonly kind: 'unpriced'; readonly why: string }
  | { readonly kind: 'priced'; readonly exposure: CallExposure }
  | {
      readonly kind: 'refused';
      readonly code: ExposureRefusal;
      readonly why: string;
      readonly param?: string;
    };

/** Why a call is refused by what it says. */
export type ExposureRefusal =
  | 'keyaudit_ambiguous_request'
  | 'keyaudit_amount_unknown'
  | 'keyaudit_operation_not_allowed';

/** The answers to look-ups so far, by path; undefined where Stripe did not say. */
export type Found = ReadonlyMap<string, StripeFacts | undefined>;
