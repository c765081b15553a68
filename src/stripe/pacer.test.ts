import { describe, expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

/** A pacer on a clock of its own, which only sleeping moves. */
function pacerAt(ratePerSecond: number | undefined) {
  const clock = { now: 0 };
  const pacer = new Pacer(
    ratePerSecond,
    () => clock.now,
    async (ms) => {
      clock.now += ms;
    },
  );
  /** Takes `count` turns one after the other and gives the time of each. */
  const turns = async (count: number) => {
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      await pacer.turn();
      times.push(clock.now);
    }
    return times;
  };
  return { pacer, clock, turns };
}

describe('Pacer', () => {
  it('spaces turns evenly, the first at once', async () => {
    expect(await pacerAt(25).turns(5)).toEqual([0, 40, 80, 120, 160]);
  });

  it('never exceeds its rate, however many ask at once', async () => {
    const times: number[] = [];
    const clock = { now: 0 };
    const pacer = new Pacer(
      10,
      () => clock.now,
      async (ms) => {
        times.push(clock.now + ms);
      },
    );
    await Promise.all(Array.from({ length: 6 }, () => pacer.turn()));
    expect(times).toEqual([100, 200, 300, 400, 500]);
  });

  it('does not make up for idle time by a burst', async () => {
    const { clock, turns } = pacerAt(25);
    await turns(1);
    clock.now = 1000;
    expect(await turns(3)).toEqual([1000, 1040, 1080]);
  });

  it('does not make up for a stall by a burst, but for the lateness of timers', async () => {
    for (const [lateBy, gaps] of [
      [300, [340, 338, 338]],
      [1, [41, 40, 40]],
    ] as const) {
      const clock = { now: 0 };
      const pacer = new Pacer(
        25,
        () => clock.now,
        async (ms) => {
          clock.now += ms + lateBy;
        },
      );
      const times: number[] = [];
      await Promise.all(Array.from({ length: 4 }, () => pacer.turn().then(() => times.push(clock.now))));
      expect(times.slice(1).map((time, index) => time - (times[index] ?? 0))).toEqual(gaps);
    }
  });

  it('waits for nothing without a rate', async () => {
    expect(await pacerAt(undefined).turns(3)).toEqual([0, 0, 0]);
  });

  it.each([
    [20, [100, 200, 300]],
    [undefined, [20, 40, 60]],
  ])('halves a rate of %s on a 429', async (rate, expected) => {
    const { pacer, turns } = pacerAt(rate);
    expect(pacer.slowedDown).toBe(false);
    pacer.slowDown(0);
    expect(pacer.slowedDown).toBe(true);
    expect(await turns(3)).toEqual(expected);
  });

  it('halves once for a burst of requests that were under way together', async () => {
    const { pacer, clock, turns } = pacerAt(20);
    clock.now = 10;
    for (let sentAt = 0; sentAt < 10; sentAt++) pacer.slowDown(sentAt);
    expect(await turns(2)).toEqual([110, 210]);
  });

  it('halves again when a request sent since is refused too', async () => {
    const { pacer, clock, turns } = pacerAt(20);
    pacer.slowDown(0);
    clock.now = 100;
    pacer.slowDown(100);
    expect(await turns(2)).toEqual([300, 500]);
  });

  it('gets no slower than one request in two seconds', async () => {
    const { pacer, clock, turns } = pacerAt(20);
    for (let count = 0; count < 20; count++) pacer.slowDown(clock.now);
    const [first = 0, second = 0] = await turns(2);
    expect(second - first).toBe(2000);
  });

  it('comes back slowly, and never beyond what was asked', async () => {
    const { pacer, turns } = pacerAt(20);
    pacer.slowDown(0);
    pacer.recover();
    const [first = 0, second = 0] = await turns(2);
    expect(second - first).toBeCloseTo(98);
    for (let count = 0; count < 200; count++) pacer.recover();
    const [third = 0, fourth = 0] = await turns(2);
    expect(fourth - third).toBeCloseTo(50);
  });

  it('without a rate comes back to none', async () => {
    const { pacer, turns } = pacerAt(undefined);
    pacer.slowDown(0);
    for (let count = 0; count < 300; count++) pacer.recover();
    const [first, second] = await turns(2);
    expect(second).toBe(first);
  });

  it('hands the signal to what sleeps', async () => {
    const seen: (AbortSignal | undefined)[] = [];
    const pacer = new Pacer(
      10,
      () => 0,
      async (_ms, signal) => {
        seen.push(signal);
      },
    );
    const { signal } = new AbortController();
    await pacer.turn(signal);
    await pacer.turn(signal);
    expect(seen).toEqual([signal]);
  });
});
