import type { OperationName } from '../core/catalog/catalog.ts';
import { moneyRuleOf } from '../core/catalog/money.ts';
import type { LetThrough } from '../core/grant/let-through.ts';
import type { GuardSection } from '../core/profile/guard-section.ts';
import type { CountedObjects } from '../core/spend/counters.ts';
import type { LogRow, ReserveEvent } from '../core/spend/log-row.ts';
import { SpendBook } from '../core/spend/spend-book.ts';
import { capRefusal } from './call/cap-refusal.ts';

/** What a policy says of one call that a log has. */
export interface SimulatedCall {
  readonly seq: number;
  readonly time: string;
  readonly run: string;
  readonly operation: string;
  /** In minor units. */
  readonly amount?: number | undefined;
  readonly currency?: string | undefined;
  /** `unknown`: the log does not say enough to tell. */
  readonly outcome: 'refused' | 'unknown';
  /** A code of the guard. */
  readonly code: string;
  readonly why: string;
}

/** What came of replaying a log. */
export interface Simulation {
  /** Calls that had been let through. */
  readonly calls: number;
  readonly found: readonly SimulatedCall[];
}

/** A policy to replay against. */
export interface SimulatedPolicy {
  readonly guard: GuardSection;
  readonly through: LetThrough;
}

/** Replays a log row by row against policies: which calls that had been let through would have been refused. */
export class Simulator {
  readonly #policyOf: (profile: string) => SimulatedPolicy | undefined;
  readonly #book = new SpendBook();
  readonly #found: SimulatedCall[] = [];
  #calls = 0;

  /** @param policyOf the policy of a profile, by its name; undefined where there is none */
  constructor(policyOf: (profile: string) => SimulatedPolicy | undefined) {
    this.#policyOf = policyOf;
  }

  get simulation(): Simulation {
    return { calls: this.#calls, found: this.#found };
  }

  /** Rows are handed over in their order. */
  row(row: LogRow): void {
    const at = Date.parse(row.time);
    switch (row.kind) {
      case 'reserve':
        this.#calls += 1;
        this.#reserve(row, at);
        break;
      case 'pass':
        this.#calls += 1;
        if (row.profile !== undefined && row.operation !== undefined)
          this.#isThrough(row, row.profile, row.operation, row.account);
        break;
      // Kills had stopped what they stopped; what was let through after a resume is asked for anew.
      case 'kill':
      case 'resume':
        break;
      default:
        this.#book.apply(row, at);
    }
  }

  #reserve(row: LogRow & ReserveEvent, at: number): void {
    const { profile, operation = '', account, run, amount, currency, direction, scope, reservation } = row;
    const policy = this.#isThrough(row, profile, operation, account);
    if (policy === undefined) return;
    const { guard } = policy;
    const rule = moneyRuleOf(operation);
    const isSuspect = guard.repeat === 'refuse' && rule?.repeatIsSuspect === true && amount !== undefined;
    const { totalOf } = row;
    const reserved = this.#book.reserve({
      call: { ...row, operation },
      scope,
      reservation,
      direction,
      amount,
      currency,
      totalOf: totalOf?.startsWith('new ') === true ? 'new' : totalOf,
      objects: objectsOf(row),
      caps: guard.caps,
      zone: guard.day,
      unpriced: guard.unpriced.calls,
      repeat: isSuspect ? [operation, row.object ?? '', amount, currency].join('|') : undefined,
      now: at,
    });
    if ('event' in reserved) return;
    const { refused } = reserved;
    // The run had a key then; how long one lives is not asked again.
    if (refused.why === 'ended' || refused.why === 'killed') {
      this.#add(
        row,
        run,
        operation,
        'unknown',
        'keyaudit_run_ended',
        'the log does not say when its run began',
      );
      return;
    }
    const { code, why } = capRefusal(refused, currency);
    this.#add(row, run, operation, refused.why === 'unknown-object' ? 'unknown' : 'refused', code, why);
  }

  #isThrough(
    row: LogRow & { readonly run?: string | undefined },
    profile: string,
    operation: OperationName,
    account: string | undefined,
  ): SimulatedPolicy | undefined {
    const policy = this.#policyOf(profile);
    const run = row.run ?? '';
    if (policy === undefined) {
      this.#add(
        row,
        run,
        operation,
        'unknown',
        'keyaudit_unknown_operation',
        `there is no policy for ${profile}`,
      );
      return undefined;
    }
    const { own, connect } = policy.through;
    if ((account === undefined ? own : connect).has(operation)) return policy;
    const why = `the profile ${profile} does not ask for it`;
    this.#add(row, run, operation, 'refused', 'keyaudit_operation_not_allowed', why);
    return undefined;
  }

  #add(
    row: LogRow,
    run: string,
    operation: string,
    outcome: SimulatedCall['outcome'],
    code: string,
    why: string,
  ): void {
    const { seq, time } = row;
    const { amount, currency } = row as Partial<ReserveEvent>;
    this.#found.push({ seq, time, run, operation, amount, currency, outcome, code, why });
  }
}

/** A row says what the call was about, and of whom only where that shows. */
function objectsOf({ object, account }: ReserveEvent): CountedObjects {
  const of = (kind: RegExp) =>
    object !== undefined && object !== null && kind.test(object) ? object : undefined;
  return { object, account: account ?? null, charge: of(/^(?:ch|py)_/), customer: of(/^cus_/) };
}
