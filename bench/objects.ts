import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Objects } from '../test/support/call-objects.ts';
import { type Measurement, median } from './measure.ts';

const MANY = 100_000;
const FEW = 100;
const ROUNDS = 15;
/** Calls of a round. */
const CALLS = 200;

/** What a call of the sandbox costs where it has many objects, beside where it has few; without HTTP. */
export async function benchObjects(): Promise<Measurement[]> {
  const few = withRefunds(FEW);
  collectGarbage();
  const before = process.memoryUsage().heapUsed;
  const many = withRefunds(MANY);
  collectGarbage();
  const bytes = (process.memoryUsage().heapUsed - before) / MANY;
  const calls: readonly (readonly [what: string, call: (side: Side) => void])[] = [
    ['POST /v1/refunds', ({ objects, charge }) => objects.made('refunds.create', { charge, amount: 1 })],
    ['GET /v1/refunds, a page of ten', ({ objects }) => objects.made('refunds.list')],
    [
      'GET /v1/refunds, a page from the middle',
      ({ objects, middle }) => objects.made('refunds.list', { starting_after: middle }),
    ],
    ['GET /v1/balance', ({ objects }) => objects.made('balance.retrieve')],
  ];
  const found: Measurement[] = [];
  for (const [what, call] of calls) {
    const [ofFew = 0, ofMany = 0] = inTurns([few, many], call);
    found.push({
      what: `${what}: a call among ${MANY} refunds, beside one among ${FEW}`,
      // They do not fit the processor's nearest cache; a look at all of them would be a thousand times as long.
      value: ofMany / ofFew,
      unit: '×',
      bound: { atMost: 3 },
      note: `${ofMany.toFixed(1)} µs beside ${ofFew.toFixed(1)} µs`,
    });
  }
  found.push({
    what: 'memory of a refund with its balance transaction',
    value: bytes,
    unit: 'bytes',
    bound: { atMost: 1_500 },
    note: `${MANY} of them`,
  });
  return found;
}

interface Side {
  readonly objects: Objects;
  readonly charge: string;
  readonly middle: string;
}

function withRefunds(count: number): Side {
  const objects = new Objects();
  const charge = objects.made('charges.create', {
    amount: 99_999_999,
    currency: 'usd',
    source: 'tok_visa',
  }).id;
  let middle = '';
  for (let index = 0; index < count; index++) {
    const { id } = objects.made('refunds.create', { charge, amount: 1 });
    if (index === count >> 1) middle = id;
  }
  objects.later(2);
  return { objects, charge, middle };
}

/** Median processor time of a call in µs on each side, in turns. */
function inTurns(sides: readonly Side[], call: (side: Side) => void): number[] {
  const times: number[][] = sides.map(() => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, side] of sides.entries()) {
      const before = process.cpuUsage();
      for (let count = 0; count < CALLS; count++) call(side);
      const { user, system } = process.cpuUsage(before);
      times[index]?.push((user + system) / CALLS);
    }
  }
  return times.map(median);
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
