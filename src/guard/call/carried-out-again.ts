import { randomBytes } from 'node:crypto';
import { moneyRuleOf } from '../../core/catalog/money.ts';
import type { Cap } from '../../core/spend/cap.ts';
import type { CallExposure, StripeFacts } from '../../core/spend/exposure/money-call.ts';
import { movedBy } from '../../core/spend/exposure/moved.ts';
import { currencyIn, idIn } from '../../core/spend/exposure/places.ts';
import type { KnownKey } from '../../core/spend/ledger/reservation.ts';
import type { RowOutcome } from '../../core/spend/log-row.ts';
import type { Forwarded } from '../../http/forward.ts';
import type { Call } from '../read/read-call.ts';
import type { SpendStore } from '../spend-store.ts';
import { rowOf } from './call-names.ts';
import type { Caller } from './caller.ts';
import { isReplay, type Outcome } from './outcome.ts';
import { endReservation } from './settlement.ts';

interface Again {
  readonly call: Call;
  readonly caller: Caller;
  readonly known: Pick<KnownKey, 'object'>;
  readonly forwarded: Forwarded;
  readonly outcome: Outcome;
  readonly row: RowOutcome;
}

interface AgainParts {
  readonly store: SpendStore;
  /** In ms since 1970. */
  readonly now: () => number;
  readonly alarm: (text: string) => void;
}

/**
 * A call whose key was settled is sent again for its answer alone, since Stripe says what it said before. One that says
 * neither that it does nor names what was made then has carried the call out a second time: that is counted above any
 * cap, told, and the run is killed where even that cannot be.
 */
export async function countCarriedOutAgain(again: Again, { store, now, alarm }: AgainParts): Promise<void> {
  const { call, caller, known, forwarded, outcome, row } = again;
  if (outcome.kind !== 'done' || forwarded.kind !== 'answered' || isReplay(forwarded)) return;
  const made = idIn(outcome.facts.id);
  if (known.object == null || made === known.object) return;
  const { run, served } = caller;
  alarm(
    `Stripe has carried ${call.operation.name} out a second time under one Idempotency-Key (run ${run.id}): ${made} beside ${known.object}. It is counted.`,
  );
  const exposure = exposureSeen(call, outcome.facts);
  const reserving =
    exposure === undefined
      ? undefined
      : await store.reserve({
          call: { ...rowOf(call, caller), operation: call.operation.name },
          scope: served.scope,
          reservation: `rsv_${randomBytes(9).toString('hex')}`,
          ...exposure,
          objects: { ...exposure, account: call.account ?? null },
          caps: served.guard.caps.map(withoutEnd),
          zone: served.guard.day,
          unpriced: 0,
          now: now(),
        });
  if (reserving !== undefined && 'event' in reserving) {
    for (const event of endReservation(reserving.event, outcome, row).events) store.settle(event, now());
  } else await store.kill({ of: 'run', name: run.id }, now()).catch(() => {});
}

/** What was moved, by the answer alone: the first call has changed what a look-up would say. */
function exposureSeen(call: Call, facts: StripeFacts): CallExposure | undefined {
  const rule = moneyRuleOf(call.operation.name);
  const currency = currencyIn(facts.currency);
  const object = idIn(facts.id);
  if (rule === undefined || currency === undefined) return undefined;
  const isTotal = rule.mode === 'total' && object !== null;
  const exposure: CallExposure = {
    direction: rule.direction,
    amount: 0,
    currency,
    object: call.ids[0] ?? object,
    charge: idIn(facts.charge),
    customer: idIn(facts.customer),
    asked: 'again',
    ...(isTotal ? { totalOf: object } : {}),
  };
  return { ...exposure, amount: movedBy(rule, exposure, facts).amount };
}

function withoutEnd(cap: Cap): Cap {
  const amounts = cap.amounts.map((amount) => ({ ...amount, minor: Number.MAX_SAFE_INTEGER }));
  return { ...cap, amounts, ...(cap.calls === undefined ? {} : { calls: Number.MAX_SAFE_INTEGER }) };
}
