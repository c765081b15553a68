import { describe, expect, it } from 'vitest';
import { Chance, SEED } from '../../../../test/fuzz/chance.ts';
import { Catalog } from '../../../core/catalog/catalog.ts';
import { catalogData } from '../../../core/catalog/data/catalog.ts';
import { DeclaredTypes } from '../../../core/catalog/declared-types.ts';
import type { Answer } from '../../../http/answer.ts';
import type { Fields } from '../../../http/form-body.ts';
import { ObjectMaker } from '../make-object.ts';
import { ObjectStore } from '../object-store.ts';
import { serveOperation } from '../serve-operation.ts';

const catalog = new Catalog(catalogData);
const maker = new ObjectMaker(new DeclaredTypes());
const CALLS = 10_000;

function books(): (name: string, fields?: Fields, ids?: readonly string[]) => Answer & { body: Fields } {
  const store = new ObjectStore();
  return (name, fields = {}, ids = []) => {
    const operation = catalog.operation(name);
    if (operation === undefined) throw new Error(`no operation ${name}`);
    const { path } = operation;
    const answer = serveOperation({
      operation,
      ids,
      path,
      fields,
      expansions: [],
      store,
      maker,
      livemode: false,
      now: 0,
    });
    return answer as Answer & { body: Fields };
  };
}

describe('the books', () => {
  it('balance after random calls, by a plain second model', () => {
    const chance = new Chance(SEED);
    const call = books();
    /** What each object still has in it; the sum of all is kept aside, by addition alone. */
    const left = {
      charges: new Map<string, number>(),
      held: new Map<string, number>(),
      transfers: new Map<string, number>(),
    };
    const pending = new Map<string, number>();
    let balance = 0;
    const made = { charge: 0, refund: 0, dispute: 0, transfer: 0, payout: 0 };
    const some = (from: ReadonlyMap<string, number>) => chance.of([...from.keys()].slice(-50));
    const money = { currency: 'usd' };
    for (let turn = 0; turn < CALLS; turn++) {
      const amount = 1 + chance.upTo(900);
      const what = chance.upTo(10);
      if (what < 3) {
        const { body } = call('charges.create', { ...money, amount, source: 'tok_visa' });
        left.charges.set(String(body.id), amount);
        balance += amount;
        made.charge += amount;
      } else if (what === 3) {
        const { body } = call('charges.create', { ...money, amount, source: 'tok_visa', capture: false });
        left.held.set(String(body.id), amount);
      } else if (what === 4 && left.held.size > 0) {
        const id = some(left.held);
        const authorized = left.held.get(id) ?? 0;
        const { status } = call('charges.capture', { amount }, [id]);
        expect(status).toBe(amount <= authorized ? 200 : 400);
        if (status !== 200) continue;
        left.held.delete(id);
        left.charges.set(id, amount);
        balance += amount;
        made.charge += amount;
      } else if (what < 7 && left.charges.size > 0) {
        const id = some(left.charges);
        const rest = left.charges.get(id) ?? 0;
        const { status } = call('refunds.create', { charge: id, amount });
        expect(status).toBe(amount <= rest ? 200 : 400);
        if (status !== 200) continue;
        left.charges.set(id, rest - amount);
        balance -= amount;
        made.refund += amount;
      } else if (what === 7) {
        const { status, body } = call('transfers.create', { ...money, amount, destination: 'acct_1' });
        expect(status).toBe(amount <= balance ? 200 : 400);
        if (status !== 200) continue;
        left.transfers.set(String(body.id), amount);
        balance -= amount;
        made.transfer += amount;
      } else if (what === 8 && left.transfers.size > 0) {
        const id = some(left.transfers);
        const rest = left.transfers.get(id) ?? 0;
        const { status } = call('transfers.createReversal', { amount }, [id]);
        expect(status).toBe(amount <= rest ? 200 : 400);
        if (status !== 200) continue;
        left.transfers.set(id, rest - amount);
        balance += amount;
        made.transfer -= amount;
      } else if (what === 9) {
        if (chance.is(0.3)) {
          call('charges.create', { ...money, amount, source: 'tok_createDispute' });
          made.charge += amount;
          made.dispute += amount;
        } else if (pending.size > 0 && chance.is(0.4)) {
          const id = some(pending);
          expect(call('payouts.cancel', {}, [id]).status).toBe(200);
          balance += pending.get(id) ?? 0;
          made.payout -= pending.get(id) ?? 0;
          pending.delete(id);
        } else {
          const { status, body } = call('payouts.create', { ...money, amount });
          expect(status).toBe(amount <= balance ? 200 : 400);
          if (status !== 200) continue;
          pending.set(String(body.id), amount);
          balance -= amount;
          made.payout += amount;
        }
      }
    }
    const [available] = call('balance.retrieve').body.available as { amount: number }[];
    expect(available?.amount, `seed ${SEED}`).toBe(balance);
    const { charge, refund, dispute, transfer, payout } = made;
    expect(available?.amount).toBe(charge - refund - dispute - transfer - payout);
    for (const sum of Object.values(made)) expect(sum).toBeGreaterThan(0);
  });

  const declined: readonly [token: string, code: string, declineCode: string | undefined][] = [
    ['tok_chargeDeclined', 'card_declined', 'generic_decline'],
    ['tok_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_visa_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', undefined],
  ];
  it.each(declined)('are left alone by %s', (token, code, declineCode) => {
    const call = books();
    const paid = token.startsWith('tok_')
      ? call('charges.create', { amount: 5, currency: 'usd', source: token })
      : call('paymentIntents.create', { amount: 5, currency: 'usd', payment_method: token, confirm: true });
    expect(paid).toMatchObject({ status: 402, body: { error: { type: 'card_error', code } } });
    expect((paid.body.error as Fields).decline_code).toBe(declineCode);
    expect(call('balance.retrieve').body).toMatchObject({ available: [{ amount: 0, currency: 'usd' }] });
    expect(call('balanceTransactions.list').body.data).toEqual([]);
  });
});
