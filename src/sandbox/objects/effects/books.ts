import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { ObjectMaker, ObjectTraits } from '../make/make-object.ts';
import type { ObjectStore, StripeObject } from '../object-store.ts';

/** What moves the balance: its source, and by how much; amounts are in the currency's minor units. */
interface Movement {
  /** As a balance transaction has it: `charge`, `refund`, `adjustment`, `payout`, … */
  readonly type: string;
  /** Below zero where money leaves. */
  readonly amount: number;
  readonly source: StripeObject;
}

interface Books {
  readonly store: ObjectStore;
  readonly maker: ObjectMaker;
  readonly livemode: boolean;
  readonly now: number;
}

/**
 * Writes a movement down as a balance transaction and names it on its source. There are no fees, and what
 * comes in is available at once.
 */
export function post(
  { store, maker, livemode, now }: Books,
  { type, amount, source }: Movement,
): StripeObject {
  const traits: ObjectTraits = { livemode, now, find: (kind, id) => store.ofKind(kind, id) };
  const given = { amount, net: amount, fee: 0, type, reporting_category: type, currency: source.currency };
  const transaction = maker.make('balance_transactions', given, traits);
  Object.assign(transaction, { source: source.id, status: 'available' });
  store.add('balance_transactions', transaction);
  // The first tells of the source itself; what follows, such as a cancellation, only of its end.
  if (source.balance_transaction === null) source.balance_transaction = transaction.id;
  return transaction;
}

/** What is there to pay out, by currency: the sum of all that moved. */
function balances(store: ObjectStore): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { currency, net } of store.list('balance_transactions')) {
    sums.set(String(currency), (sums.get(String(currency)) ?? 0) + Number(net));
  }
  return sums;
}

/** The money fields of the balance object. */
export function balanceFields(store: ObjectStore): Fields {
  const sums = [...balances(store)];
  const listed = sums.length === 0 ? [['usd', 0] as const] : sums;
  const of = (amount: number, currency: string) => ({ amount, currency, source_types: { card: amount } });
  return {
    available: listed.map(([currency, amount]) => of(amount, currency)),
    pending: listed.map(([currency]) => of(0, currency)),
  };
}

/** HTTP 400 where more would leave than is there. */
export function insufficient(store: ObjectStore, amount: number, currency: unknown): Answer | undefined {
  const available = balances(store).get(String(currency)) ?? 0;
  if (amount <= available) return undefined;
  return errorAnswer(400, {
    code: 'balance_insufficient',
    message:
      'You have insufficient available funds in your Stripe account. Try adding funds directly to your available balance by creating Charges using the 4000000000000077 test card. See: https://stripe.com/docs/testing#available-balance',
  });
}
