import { describe, expect, it } from 'vitest';
import { guardedSandbox } from '../support/guard-scene.ts';

const ACCEPT = 'accept: [{ operations: [charges.create, charges.update, charges.capture], reason: shared }]';
const refundAgent = (guard: string) => `
permissions: { charges: read, refunds: write, customers: read }
checks: { allow: [charges.list, charges.retrieve, refunds.create, customers.retrieve] }
${ACCEPT}
guard: ${guard}
`;

async function scene(guard: string) {
  const made = await guardedSandbox({ profiles: { agent: refundAgent(guard) } });
  await made.issue();
  const charge = async (amount: number, currency = 'usd') =>
    (await made.direct('POST /v1/charges', { amount, currency, source: 'tok_visa' })).body.id as string;
  const refunded = () =>
    made.sandbox
      .objects()
      .filter(({ object }) => object === 'refund')
      .reduce((sum, { amount }) => sum + Number(amount), 0);
  const used = (part: string) =>
    [...made.guard.store.book.counters()].filter(([name]) => name.includes(part)).map(([, value]) => value);
  return { ...made, charge, refunded, used };
}

describe('caps', () => {
  it('case 1: 500 refunds of 100 at once against a day cap of 5,000: exactly 50 reach Stripe', async () => {
    const { charge, ask, sandbox, refunded, used } = await scene(
      '{ repeat: allow, caps: [{ per: day, amount: 50.00 usd }] }',
    );
    const id = await charge(100_000);
    const answers = await Promise.all(
      Array.from({ length: 500 }, () => ask('POST /v1/refunds', { charge: id, amount: 100 })),
    );
    const statuses = answers.map(({ status }) => status);
    expect([
      statuses.filter((one) => one === 200).length,
      statuses.filter((one) => one === 403).length,
    ]).toEqual([50, 450]);
    expect(sandbox.requests().get('POST 200')).toBe(50 + 1 + 1);
    expect(refunded()).toBe(5_000);
    expect(used('per day')).toEqual([5_000]);
  });

  it('case 3: a refusal by one cap leaves the other as it was', async () => {
    const { charge, ask, used } = await scene(
      '{ caps: [{ per: run, amount: 50.00 usd }, { per: day, amount: 49.00 usd }] }',
    );
    const id = await charge(100_000);
    expect((await ask('POST /v1/refunds', { charge: id, amount: 4_850 })).status).toBe(200);
    const { status, body } = await ask('POST /v1/refunds', { charge: id, amount: 100 });
    expect([status, body.error.code]).toEqual([403, 'keyaudit_spend_cap_exceeded']);
    expect([used('per run'), used('per day')]).toEqual([[4_850], [4_850]]);
    expect((await ask('POST /v1/refunds', { charge: id, amount: 50 })).status).toBe(200);
  });

  it('case 12: the same refund three times with three keys: the first passes, two are repeated calls', async () => {
    const { charge, ask, refunded } = await scene('{ caps: [{ per: run, amount: 500.00 usd }] }');
    const id = await charge(10_000);
    const answers = [];
    for (const key of ['a', 'b', 'c']) {
      answers.push(
        await ask('POST /v1/refunds', { charge: id, amount: 1_000 }, { headers: { 'Idempotency-Key': key } }),
      );
    }
    expect(answers.map(({ status, body }) => [status, body.error?.code])).toEqual([
      [200, undefined],
      [403, 'keyaudit_repeated_call'],
      [403, 'keyaudit_repeated_call'],
    ]);
    expect(refunded()).toBe(1_000);
  });

  it('case 13: a refund key does not charge, and Stripe sees no request', async () => {
    const { ask, sandbox } = await scene('{ caps: [{ per: run, amount: 500.00 usd }] }');
    const before = JSON.stringify([...sandbox.requests()]);
    const { status, body, headers } = await ask('POST /v1/charges', {
      amount: 100,
      currency: 'usd',
      source: 'tok_visa',
    });
    expect([status, body.error.code]).toEqual([403, 'keyaudit_operation_not_allowed']);
    expect(headers.get('stripe-should-retry')).toBe('false');
    expect(JSON.stringify([...sandbox.requests()])).toBe(before);
  });

  it('case 14: a refund without an amount reserves and settles the rest of the charge', async () => {
    const { charge, ask, direct, used, rows } = await scene('{ caps: [{ per: run, amount: 100.00 usd }] }');
    const id = await charge(10_000);
    await direct('POST /v1/refunds', { charge: id, amount: 4_000 });
    expect((await ask('POST /v1/refunds', { charge: id })).status).toBe(200);
    expect(used('per run')).toEqual([6_000]);
    const all = await rows();
    expect(all.find(({ kind }) => kind === 'reserve')).toMatchObject({ amount: 6_000 });
    expect(all.find(({ kind }) => kind === 'settle')).toMatchObject({ amount: 6_000 });
  });

  it('serves what the profile asks for, and says so in each answer', async () => {
    const { charge, ask } = await scene('{ caps: [{ per: run, amount: 500.00 usd }] }');
    const id = await charge(10_000);
    const { status, headers, body } = await ask(`GET /v1/charges/${id}?expand[]=customer`);
    expect([status, body.id, headers.get('keyaudit-guard')]).toEqual([200, id, 'passed']);
    expect((await ask('GET /stripe/v1/charges')).status).toBe(200);
    expect((await ask('GET /v1/refunds')).status).toBe(200);
    expect((await ask('GET /v1/charges', undefined, { key: 'rk_guard_test_x' })).body.error.code).toBe(
      'keyaudit_run_unknown',
    );
  });
});
