import { type Answer, errorAnswer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import type { ObjectMaker, ObjectTraits } from '../make/make-object.ts';
import type { ObjectStore, StripeObject } from '../object-store.ts';
import type { Listing } from '../shelf.ts';

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

/** The sum of all that moved up to a place, by currency; what moved last is last. */
interface Sums {
  readonly of: Map<string, number>;
  upTo: number;
}

/** A transaction stays as it was posted, so that each is added once. */
const sumsOf = new WeakMap<Listing, Sums>();

/** What is there to pay out, by currency: the sum of all that moved. */
function balances(store: ObjectStore): ReadonlyMap<string, number> {
  const transactions = store.listing('balance_transactions');
  const sums = sumsOf.get(transactions) ?? { of: new Map<string, number>(), upTo: -1 };
  sumsOf.set(transactions, sums);
  for (const { id, currency, net } of transactions.walk({ above: sums.upTo, newestFirst: false })) {
    const sum = sums.of.get(String(currency)) ?? 0;
    sums.of.delete(String(currency));
    sums.of.set(String(currency), sum + Number(net));
    sums.upTo = transactions.placeOf(id) ?? sums.upTo;
  }
  return sums.of;
}

/** The money fields of the balance object. */
export function balanceFields(store: ObjectStore): Fields {
  const sums = [...balances(store)].reverse();
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
