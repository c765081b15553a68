import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type MoneyRow, moneyProblems, moneyRow } from '../scripts/catalog/money.ts';
import { readSourceTables } from '../scripts/catalog/source-tables.ts';
import { isWrite, type OperationName, type Parameter } from '../src/core/catalog/catalog.ts';
import { catalogData } from '../src/core/catalog/data/catalog.ts';
import { moneyRuleOf } from '../src/core/catalog/money.ts';
import { parametersOf } from '../src/core/catalog/parameters.ts';

const source = join(import.meta.dirname, '..', 'src', 'core', 'catalog', 'data', 'source');
const rows = readSourceTables(source).money;
const parameters = new Map(catalogData.operations.map(({ name }) => [name, parametersOf(name)]));

describe('the money table', () => {
  it('fits the catalog', () => {
    expect(moneyProblems(rows, catalogData, parameters)).toEqual([]);
  });

  it('case 73: speaks of every write and of nothing else', () => {
    const writes = catalogData.operations.filter(isWrite);
    expect(writes).toHaveLength(360);
    for (const { name, method } of catalogData.operations) {
      expect(moneyRuleOf(name) !== undefined, name).toBe(method !== 'GET');
    }
    expect(moneyRuleOf('refunds.undo')).toBeUndefined();
  });

  it('reaches the program as it is written', () => {
    for (const { aside: _, ...rule } of rows) expect(moneyRuleOf(rule.operation)).toEqual(rule);
  });

  it.each([
    [
      'case 73: a write without a row, as of a new operation of the SDK',
      without('refunds.create'),
      'money.tsv has no row for refunds.create',
    ],
    [
      'a row for a read',
      [...rows, { ...rowOf('refunds.update'), operation: 'refunds.list' }],
      'money.tsv has a row for refunds.list, which is no write of the catalog',
    ],
    ['two rows for a write', [...rows, rowOf('payouts.create')], 'money.tsv has two rows for payouts.create'],
    [
      'a place that the SDK does not declare',
      changed('payouts.create', { amount: ['body:sum'] }),
      'money.tsv, payouts.create, names the parameter sum, which the SDK does not declare',
    ],
    [
      'a money parameter that nobody spoke of',
      changed('issuing.disputes.create', { aside: [] }),
      'money.tsv, issuing.disputes.create, says nothing of the parameter amount',
    ],
    [
      'an amount without a currency',
      changed('disputes.close', { currency: [] }),
      'money.tsv, disputes.close, has an amount without a currency',
    ],
    [
      'money said to be none',
      changed('transfers.create', { direction: 'none' }),
      'money.tsv, transfers.create, is at odds about whether it moves money',
    ],
    [
      'a payment called a test helper',
      changed('topups.create', { moneyClass: 'test', direction: 'none', mode: 'none' }),
      'money.tsv, topups.create, is no test helper',
    ],
  ])('does not build with %s', (_, altered, problem) => {
    expect(moneyProblems(altered, catalogData, parameters)).toContain(problem);
  });

  it('[complete] does not build when the SDK gives a call a new money parameter', () => {
    const amount: Parameter = { name: 'amount', required: false, type: 'number' };
    const grown = new Map<OperationName, readonly Parameter[]>([...parameters, ['files.create', [amount]]]);
    expect(moneyProblems(rows, catalogData, grown)).toContain(
      'money.tsv, files.create, says nothing of the parameter amount',
    );
  });

  it.each([
    ['a class', 1, 'X', 'class "X" is none of'],
    ['a direction', 2, 'sideways', 'direction "sideways" is none of'],
    ['a place', 3, 'header:amount', '"header:amount" is no place'],
    ['a repeat', 10, 'maybe', 'repeat_is_suspect "maybe" is none of'],
  ])('does not read %s that it does not know', (_, column, text, message) => {
    const line = readFileSync(join(source, 'money.tsv'), 'utf8').split('\n').find(isPayout) ?? '';
    const cells = line.split('\t');
    expect(moneyRow(cells).operation).toBe('payouts.create');
    expect(() => moneyRow(cells.with(column, text))).toThrow(message);
  });
});

describe('what is easy to get wrong', () => {
  it.each<[OperationName, Partial<ReturnType<typeof moneyRuleOf> & object>]>([
    ['paymentIntents.incrementAuthorization', { mode: 'total', direction: 'in', amount: ['body:amount'] }],
    ['customers.createBalanceTransaction', { mode: 'signed', direction: 'gives-up' }],
    ['customers.update', { mode: 'signed', amount: ['body:balance'] }],
    ['refunds.create', { whenUnset: 'whole rest of the charge', repeatIsSuspect: true }],
    ['invoices.pay', { moneyClass: 'object', besides: ['paid_out_of_band', 'forgive'] }],
    ['treasury.debitReversals.create', { direction: 'in', object: ['body:received_debit'] }],
    ['treasury.financialAccounts.close', { moneyClass: 'redirects', besides: ['forwarding_settings'] }],
    ['terminal.connectionTokens.create', { moneyClass: 'redirects' }],
    ['oauth.token', { moneyClass: 'redirects' }],
    ['charges.create', { repeatIsSuspect: false }],
  ])('%s', (operation, expected) => {
    expect(moneyRuleOf(operation)).toMatchObject(expected);
  });
});

function rowOf(operation: OperationName): MoneyRow {
  const row = rows.find((candidate) => candidate.operation === operation);
  if (row === undefined) throw new Error(`no row for ${operation}`);
  return row;
}

function without(operation: OperationName): MoneyRow[] {
  return rows.filter((row) => row.operation !== operation);
}

function changed(operation: OperationName, change: Partial<MoneyRow>): MoneyRow[] {
  return [...without(operation), { ...rowOf(operation), ...change }];
}

function isPayout(line: string): boolean {
  return line.startsWith('payouts.create\t');
}
