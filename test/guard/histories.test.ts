import { expect, it } from 'vitest';
import { Chance, SEED } from '../fuzz/chance.ts';
import { runHistory } from '../support/random-histories.ts';

/** A few in `npm test`; KEYAUDIT_HISTORIES=100000 KEYAUDIT_FUZZ_SEED=7 is another, longer run. */
const HISTORIES = Number(process.env.KEYAUDIT_HISTORIES ?? 100);

it(`counts at least what moved at every moment of ${HISTORIES} histories, and what moved once all is settled`, async () => {
  const sums = { settled: 0, calls: 0, kills: 0 };
  for (let n = 0; n < HISTORIES; n++) {
    const { problems, isSettled, calls, kills } = await runHistory(new Chance(SEED + n));
    expect(problems, `KEYAUDIT_HISTORIES=1 KEYAUDIT_FUZZ_SEED=${SEED + n}`).toEqual([]);
    sums.settled += isSettled ? 1 : 0;
    sums.calls += calls;
    sums.kills += kills;
  }
  console.log(`${HISTORIES} histories from seed ${SEED}: ${JSON.stringify(sums)}`);
  // What nobody can tell stays counted; most can be told.
  expect(sums.settled).toBeGreaterThan(HISTORIES * 0.5);
});

it.each([
  ['released while its second sending was under way', 91004212],
  ['settled by what was there before a capture that was under way', 5003268],
  ['settled by a total without it, and then carried out by its key', 5031356],
])('counts what moved in a history in which a held call was %s', async (_what, seed) => {
  expect((await runHistory(new Chance(seed))).problems).toEqual([]);
});
