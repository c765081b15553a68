import type { Fields } from '../../src/http/form-body.ts';
import type { Chance } from '../fuzz/chance.ts';
import { type Called, Objects } from './call-objects.ts';

/** What moved the balance, each as a sum of what came in; what left is below zero. */
export interface Sums {
  charges: number;
  refunds: number;
  disputes: number;
  transfers: number;
  payouts: number;
}

/**
 * Random permitted calls, and a second model that knows no more than: what was taken, what of it is left, and how much
 * there is by addition alone. Says for each call beforehand whether it goes through.
 */
export class RandomBooks {
  readonly objects = new Objects();
  readonly sums: Sums = { charges: 0, refunds: 0, disputes: 0, transfers: 0, payouts: 0 };
  /** Calls that went otherwise than the model says. */
  readonly wrong: string[] = [];
  readonly #chance: Chance;
  readonly #charges = new Map<string, number>();
  readonly #heldCharges = new Map<string, number>();
  readonly #heldIntents = new Map<string, number>();
  readonly #transfers = new Map<string, number>();
  readonly #payouts = new Map<string, number>();
  readonly #disputes = new Map<string, number>();
  #customer = '';

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  /** All that is there, as the model has it. */
  get balance(): number {
    return Object.values(this.sums).reduce((sum, one) => sum + one, 0);
  }

  run(calls: number): void {
    const fields = {
      payment_method: 'pm_card_visa',
      invoice_settings: { default_payment_method: 'pm_card_visa' },
    };
    this.#customer = this.objects.made('customers.create', fields).id;
    const turns = [
      () => this.#charge(),
      () => this.#charge(),
      () => this.#pay(),
      () => this.#hold(),
      () => this.#capture(),
      () => this.#refund(),
      () => this.#refund(),
      () => this.#dispute(),
      () => this.#answer(),
      () => this.#transfer(),
      () => this.#reverse(),
      () => this.#payOut(),
      () => this.#takeBack(),
      () => this.#invoice(),
      () => this.#decline(),
    ];
    for (let turn = 0; turn < calls; turn++) this.#chance.of(turns)();
  }

  #call(name: string, fits: boolean, fields: Fields, ids: readonly string[] = []): Called | undefined {
    const called = this.objects.call(name, fields, ids);
    if ((called.status === 200) !== fits)
      this.wrong.push(`${name} ${JSON.stringify(fields)} ${ids}: ${called.status}, the model says ${fits}`);
    return called.status === 200 ? called : undefined;
  }

  #amount(): number {
    return 1 + this.#chance.upTo(900);
  }

  #some(from: ReadonlyMap<string, number>): readonly [id: string, left: number] | undefined {
    const all = [...from].slice(-50);
    return all.length === 0 ? undefined : this.#chance.of(all);
  }

  #charge(): void {
    const amount = this.#amount();
    const made = this.#call('charges.create', true, { amount, currency: 'usd', source: 'tok_visa' });
    this.#charges.set(String(made?.body.id), amount);
    this.sums.charges += amount;
  }

  #pay(): void {
    const amount = this.#amount();
    const fields = { amount, currency: 'usd', payment_method: 'pm_card_visa', confirm: true };
    const made = this.#call('paymentIntents.create', true, fields);
    this.#charges.set(String(made?.body.latest_charge), amount);
    this.sums.charges += amount;
  }

  #hold(): void {
    const amount = this.#amount();
    const money = { amount, currency: 'usd' };
    if (this.#chance.is(0.5)) {
      const made = this.#call('charges.create', true, { ...money, source: 'tok_visa', capture: false });
      this.#heldCharges.set(String(made?.body.id), amount);
      return;
    }
    const manual = { ...money, payment_method: 'pm_card_visa', confirm: true, capture_method: 'manual' };
    this.#heldIntents.set(String(this.#call('paymentIntents.create', true, manual)?.body.id), amount);
  }

  #capture(): void {
    const amount = this.#amount();
    const isIntent = this.#chance.is(0.5);
    const held = isIntent ? this.#heldIntents : this.#heldCharges;
    const [id, authorized] = this.#some(held) ?? [];
    if (id === undefined || authorized === undefined) return;
    if (isIntent && this.#chance.is(0.2)) {
      this.#call('paymentIntents.cancel', true, {}, [id]);
      held.delete(id);
      return;
    }
    const [name, field] = isIntent
      ? ['paymentIntents.capture', 'amount_to_capture']
      : ['charges.capture', 'amount'];
    const captured = this.#call(name ?? '', amount <= authorized, { [field ?? '']: amount }, [id]);
    if (captured === undefined) return;
    held.delete(id);
    this.#charges.set(isIntent ? String(captured.body.latest_charge) : id, amount);
    this.sums.charges += amount;
  }

  #refund(): void {
    const [charge, left] = this.#some(this.#charges) ?? [];
    if (charge === undefined || left === undefined) return;
    const amount = this.#amount();
    if (this.#call('refunds.create', amount <= left, { charge, amount }) === undefined) return;
    this.#charges.set(charge, left - amount);
    this.sums.refunds -= amount;
  }

  /** The money of a disputed charge comes and goes at once; none of it can be refunded. */
  #dispute(): void {
    const amount = this.#amount();
    this.#call('charges.create', true, { amount, currency: 'usd', source: 'tok_createDispute' });
    this.sums.charges += amount;
    this.sums.disputes -= amount;
    const { data } = this.objects.made('disputes.list', { limit: 1 }) as unknown as {
      data: { id: string }[];
    };
    this.#disputes.set(data[0]?.id ?? '', amount);
  }

  #answer(): void {
    const [id, amount] = this.#some(this.#disputes) ?? [];
    if (id === undefined || amount === undefined) return;
    this.#disputes.delete(id);
    if (this.#chance.is(0.3)) {
      this.#call('disputes.close', true, {}, [id]);
      return;
    }
    const wins = this.#chance.is(0.5);
    const text = wins ? 'winning_evidence' : 'losing_evidence';
    this.#call('disputes.update', true, { evidence: { uncategorized_text: text } }, [id]);
    if (wins) this.sums.disputes += amount;
    this.#call('disputes.update', false, { evidence: { uncategorized_text: text } }, [id]);
  }

  #transfer(): void {
    const amount = this.#amount();
    const fields = { amount, currency: 'usd', destination: 'acct_1' };
    const made = this.#call('transfers.create', amount <= this.balance, fields);
    if (made === undefined) return;
    this.#transfers.set(made.body.id, amount);
    this.sums.transfers -= amount;
  }

  #reverse(): void {
    const [id, left] = this.#some(this.#transfers) ?? [];
    if (id === undefined || left === undefined) return;
    const amount = this.#amount();
    if (this.#call('transfers.createReversal', amount <= left, { amount }, [id]) === undefined) return;
    this.#transfers.set(id, left - amount);
    this.sums.transfers += amount;
  }

  #payOut(): void {
    const amount = this.#amount();
    const made = this.#call('payouts.create', amount <= this.balance, { amount, currency: 'usd' });
    if (made === undefined) return;
    this.#payouts.set(made.body.id, amount);
    this.sums.payouts -= amount;
  }

  #takeBack(): void {
    const [id, amount] = this.#some(this.#payouts) ?? [];
    if (id === undefined || amount === undefined) return;
    this.#call('payouts.cancel', true, {}, [id]);
    this.#call('payouts.cancel', false, {}, [id]);
    this.#payouts.delete(id);
    this.sums.payouts += amount;
  }

  #invoice(): void {
    const amount = this.#amount();
    const customer = this.#customer;
    const invoice = String(this.#call('invoices.create', true, { customer })?.body.id);
    this.#call('invoiceItems.create', true, { customer, invoice, amount, currency: 'usd' });
    if (this.#chance.is(0.3)) {
      this.#call('invoices.finalizeInvoice', true, {}, [invoice]);
      this.#call('invoices.voidInvoice', true, {}, [invoice]);
      return;
    }
    this.#call('invoices.pay', true, {}, [invoice]);
    this.sums.charges += amount;
  }

  #decline(): void {
    const money = { amount: this.#amount(), currency: 'usd' };
    if (this.#chance.is(0.5)) this.#call('charges.create', false, { ...money, source: 'tok_chargeDeclined' });
    else
      this.#call('paymentIntents.create', false, {
        ...money,
        payment_method: 'pm_card_chargeDeclined',
        confirm: true,
      });
  }

  /** The same sums, from the objects themselves. */
  get told(): Sums {
    const sum = (collection: string, of: (object: Fields) => number) =>
      this.objects.store.list(collection).reduce((total, object) => total + of(object), 0);
    return {
      charges: sum('charges', (charge) => (charge.status === 'failed' ? 0 : Number(charge.amount_captured))),
      refunds: sum('refunds', (refund) => (refund.status === 'succeeded' ? -Number(refund.amount) : 0)),
      disputes: sum('disputes', (dispute) => (dispute.status === 'won' ? 0 : -Number(dispute.amount))),
      transfers: sum('transfers', (transfer) => Number(transfer.amount_reversed) - Number(transfer.amount)),
      payouts: sum('payouts', (payout) => (payout.status === 'canceled' ? 0 : -Number(payout.amount))),
    };
  }
}
