import { moneyRuleOf } from '../../core/catalog/money.ts';
import type { MoneyRule } from '../../core/catalog/money-rule.ts';
import type { Currency } from '../../core/spend/currency.ts';
import { exposureOf } from '../../core/spend/exposure/exposure.ts';
import type { CallExposure, LookUp, StripeFacts } from '../../core/spend/exposure/money-call.ts';
import type { Call } from '../read/read-call.ts';
import { changes } from '../read/read-call.ts';
import type { Refusal } from '../refusal.ts';
import { readingPolicy, type Served } from '../served.ts';

/** What a call comes to before it is sent. */
export type Price =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'unpriced'; readonly rule: MoneyRule }
  | {
      readonly kind: 'priced';
      readonly rule: MoneyRule;
      readonly exposure: CallExposure;
      readonly isRest: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Asks Stripe by the upstream key; undefined where it does not say. */
export type AskStripe = (lookUp: LookUp) => Promise<StripeFacts | undefined>;

/** No call needs more questions than these. */
const MOST_LOOK_UPS = 5;

/** What a call can move, looked up where it does not say so itself. What cannot be found out is refused. */
export async function priceCall(call: Call, served: Served, ask: AskStripe): Promise<Price> {
  if (!changes(call)) return { kind: 'nothing' };
  const { operation, ids, fields } = call;
  const rule = moneyRuleOf(operation.name);
  if (rule === undefined) {
    return refused({ code: 'keyaudit_unknown_operation', why: 'nobody has said what it moves' });
  }
  const policy = readingPolicy(served.guard);
  const found = new Map<string, StripeFacts | undefined>();
  for (let asked = 0; ; asked++) {
    const reading = exposureOf({ operation, rule, ids, fields, policy }, found);
    if (reading.kind === 'look-up') {
      const { lookUp } = reading;
      if (asked >= MOST_LOOK_UPS) {
        return refused({ code: 'keyaudit_amount_unknown', why: 'it would have to be asked for without end' });
      }
      const key = lookUp.body === undefined ? lookUp.path : `${lookUp.path}?${lookUp.body}`;
      found.set(key, await ask(lookUp));
      continue;
    }
    if (reading.kind === 'nothing') return reading;
    if (reading.kind === 'unpriced') {
      if (served.guard.unpriced.of.includes(operation.name)) return { kind: 'unpriced', rule };
      const why = `${reading.why}, and the profile does not name it under "guard.unpriced"`;
      return refused({ code: 'keyaudit_amount_unknown', why });
    }
    if (reading.kind === 'refused') {
      const { code, why, param } = reading;
      const rest = code === 'keyaudit_amount_unknown' ? restOf(call, rule, served) : undefined;
      return rest ?? refused({ code, why, param });
    }
    const { exposure } = reading;
    if (served.guard.unknown === 'refuse' && exposure.asked === 'all') {
      const why = 'the call does not say its amount, and the profile lets none be looked up';
      return refused({ code: 'keyaudit_amount_unknown', why, param: 'amount' });
    }
    return { kind: 'priced', rule, exposure, isRest: false };
  }
}

/** With `unknown: reserve-rest`: all that is left of the tightest cap, in the one currency that caps are in. */
function restOf({ ids }: Call, rule: MoneyRule, { guard }: Served): Price | undefined {
  if (guard.unknown !== 'reserve-rest' || rule.mode === 'total') return undefined;
  const currencies = new Set<Currency>(
    guard.caps.flatMap(({ amounts }) => amounts.map((one) => one.currency)),
  );
  const [currency] = currencies;
  if (currency === undefined || currencies.size > 1) return undefined;
  const object = ids[0] ?? null;
  const exposure = { direction: rule.direction, amount: 0, currency, object, asked: 'all' };
  return { kind: 'priced', rule, exposure, isRest: true };
}

function refused(refusal: Refusal): Price {
  return { kind: 'refused', refusal };
}
