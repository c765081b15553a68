import { describe, expect, it } from 'vitest';
import { Chance, SEED } from '../../../../test/fuzz/chance.ts';
import { Objects } from '../../../../test/support/call-objects.ts';
import { RandomBooks } from '../../../../test/support/random-books.ts';
import type { Fields } from '../../../http/form-body.ts';

// The peers' project makes ten times as many.
const CALLS = 1_000;

describe('the books', () => {
  it('balance after random calls, by a plain second model', () => {
    const books = new RandomBooks(new Chance(SEED));
    books.run(CALLS);
    expect(books.wrong, `seed ${SEED}`).toEqual([]);
    expect(books.objects.balance, `seed ${SEED}`).toBe(books.balance);
    expect(books.told).toEqual(books.sums);
    for (const sum of Object.values(books.sums)) expect(sum).not.toBe(0);
  });

  const declined: readonly [token: string, code: string, declineCode: string | undefined][] = [
    ['tok_chargeDeclined', 'card_declined', 'generic_decline'],
    ['tok_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
  ];
  it.each(declined)('are left alone by %s', (token, code, declineCode) => {
    const objects = new Objects();
    const paid = token.startsWith('tok_')
      ? objects.call('charges.create', { amount: 5, currency: 'usd', source: token })
      : objects.call('paymentIntents.create', {
          amount: 5,
          currency: 'usd',
          payment_method: token,
          confirm: true,
        });
    expect(paid).toMatchObject({ status: 402, body: { error: { type: 'card_error', code } } });
    expect((paid.body.error as unknown as Fields).decline_code).toBe(declineCode);
    expect(objects.call('balance.retrieve').body).toMatchObject({
      available: [{ amount: 0, currency: 'usd' }],
    });
    expect(objects.call('balanceTransactions.list').body.data).toEqual([]);
  });
});
