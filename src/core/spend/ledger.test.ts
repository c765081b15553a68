import { describe, expect, it } from 'vitest';
import { Ledger } from './ledger.ts';

const all = [{ counter: 'day', cap: 500 }];

describe('Ledger', () => {
  it('counts create, increment and capture of one intent once', () => {
    const ledger = new Ledger();
    for (const [id, amount] of [
      ['create', 100],
      ['increment', 150],
      ['capture', 150],
    ] as const) {
      expect(ledger.reserve({ id, amount, totalOf: 'pi_1', takes: all })).toEqual({ reserved: true });
      ledger.settle(id, amount);
    }
    expect(ledger.used('day')).toBe(150);
  });

  it('keeps what a refused smaller total stood on, when the larger one goes through', () => {
    const ledger = new Ledger();
    ledger.reserve({ id: 'a', amount: 100, totalOf: 'pi_1', takes: all });
    ledger.reserve({ id: 'b', amount: 150, totalOf: 'pi_1', takes: all });
    ledger.release('a');
    expect(ledger.used('day')).toBe(150);
    ledger.settle('b', 150);
    expect(ledger.used('day')).toBe(150);
  });

  it('takes from all counters or from none, and says which one has how much left', () => {
    const ledger = new Ledger();
    const takes = [
      { counter: 'run', cap: 1000 },
      { counter: 'day', cap: 100 },
    ];
    ledger.reserve({ id: 'a', amount: 80, takes });
    expect(ledger.reserve({ id: 'b', amount: 30, takes })).toEqual({
      reserved: false,
      counter: 'day',
      left: 20,
      asked: 30,
    });
    expect([ledger.used('run'), ledger.used('day')]).toEqual([80, 80]);
  });

  it('lets exactly as many calls through as fit', () => {
    const ledger = new Ledger();
    const takes = [{ counter: 'day', cap: 5000 }];
    const calls = Array.from({ length: 500 }, (_, n) => ledger.reserve({ id: `r${n}`, amount: 100, takes }));
    expect(calls.filter(({ reserved }) => reserved)).toHaveLength(50);
    expect(ledger.used('day')).toBe(5000);
  });

  it('gives the rest back when less moved, and counts and reports what moved beyond', () => {
    const ledger = new Ledger();
    ledger.reserve({ id: 'less', amount: 100, takes: all });
    expect(ledger.settle('less', 40)).toEqual({ overrun: 0 });
    expect(ledger.used('day')).toBe(40);
    ledger.reserve({ id: 'more', amount: 460, takes: all });
    expect(ledger.settle('more', 470)).toEqual({ overrun: 10 });
    expect(ledger.used('day')).toBe(510);
    expect(ledger.reserve({ id: 'next', amount: 1, takes: all })).toMatchObject({ reserved: false, left: 0 });
    expect(ledger.reserve({ id: 'nothing', amount: 0, takes: all })).toEqual({ reserved: true });
  });

  it('lowers by what a call has told what was settled before it, and nothing that came later', () => {
    const ledger = new Ledger();
    const reserve = (id: string, amount: number) =>
      ledger.reserve({ id, amount, totalOf: 'pi_1', takes: all });
    reserve('create', 100);
    ledger.settle('create', 100, { isWhole: true });
    reserve('capture', 100);
    ledger.settle('capture', 60, { isWhole: true });
    expect(ledger.used('day')).toBe(60);
    // A call whose answer was lost, and is said again after a later one has raised the total.
    reserve('lost', 70);
    reserve('raise', 150);
    ledger.settle('raise', 150, { isWhole: true });
    expect(ledger.isOvertaken('lost')).toBe(true);
    ledger.settle('lost', 70, { isWhole: true });
    expect(ledger.used('day')).toBe(150);
    // It comes to the same from what was written down.
    const again = new Ledger(JSON.parse(JSON.stringify(ledger.state())));
    for (const one of [ledger, again]) {
      one.reserve({ id: 'last', amount: 150, totalOf: 'pi_1', takes: all });
      one.settle('last', 80, { isWhole: true });
      expect(one.used('day')).toBe(80);
    }
  });

  it('gives back to the counters that it was taken from', () => {
    const ledger = new Ledger();
    ledger.reserve({ id: 'a', amount: 100, takes: [{ counter: 'day 1', cap: 500 }] });
    ledger.reserve({ id: 'b', amount: 100, takes: [{ counter: 'day 2', cap: 500 }] });
    ledger.release('a');
    expect([ledger.used('day 1'), ledger.used('day 2')]).toEqual([0, 100]);
  });

  it('ends a reservation once', () => {
    const ledger = new Ledger();
    ledger.reserve({ id: 'a', amount: 100, takes: all });
    ledger.settle('a', 100);
    ledger.release('a');
    ledger.settle('a', 5);
    ledger.release('unheard of');
    expect(ledger.used('day')).toBe(100);
    expect(() => ledger.reserve({ id: 'a', amount: 1, takes: all })).toThrow('the reservation a exists');
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53])('takes no amount of %s', (amount) => {
    const ledger = new Ledger();
    expect(() => ledger.reserve({ id: 'a', amount, takes: all })).toThrow('no whole number');
    expect(() => ledger.reserve({ id: 'b', amount: 1, takes: [{ counter: 'day', cap: amount }] })).toThrow();
    expect(() => ledger.settle('a', amount)).toThrow('no whole number');
    expect(ledger.used('day')).toBe(0);
  });
});
