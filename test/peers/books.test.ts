import { expect, it } from 'vitest';
import { Chance, SEED } from '../fuzz/chance.ts';
import { RandomBooks } from '../support/random-books.ts';

// Nothing foreign is started here; it takes too long for every run.
it('the books balance after 10,000 random permitted calls', { timeout: 600_000 }, () => {
  const books = new RandomBooks(new Chance(SEED));
  books.run(10_000);
  expect(books.wrong, `seed ${SEED}`).toEqual([]);
  expect(books.objects.balance, `seed ${SEED}`).toBe(books.balance);
  expect(books.told).toEqual(books.sums);
});
