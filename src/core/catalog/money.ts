import type { OperationName } from './catalog.ts';
import { moneyRules } from './data/money.ts';
import type { MoneyRule } from './money-rule.ts';

const byOperation = new Map(moneyRules.map((rule) => [rule.operation, rule]));

/** The rule of a write. Undefined for a read, and for what is no operation of the catalog: neither may pass as "none". */
export function moneyRuleOf(operation: OperationName): MoneyRule | undefined {
  return byOperation.get(operation);
}
