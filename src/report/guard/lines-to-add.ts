import { moneyRuleOf } from '../../core/catalog/money.ts';
import type { Grant } from '../../core/grant/grant.ts';

/** A `guard` section for a profile that has none, as a line of YAML; the amounts are for a person to fit. */
export function guardLinesToAdd({ asked }: Pick<Grant, 'asked'>): string {
  const moving = [...asked].filter(
    (name) => !['none', 'test', undefined].includes(moneyRuleOf(name)?.moneyClass),
  );
  if (moving.length === 0) return 'Add the line "guard: {}"; it asks for nothing that moves money.';
  const caps = [
    '{ per: call, amount: 50.00 usd }',
    '{ per: run, amount: 200.00 usd, calls: 20 }',
    '{ per: day, amount: 500.00 usd }',
  ];
  return `Add a line such as "guard: { caps: [${caps.join(', ')}] }"; it asks for ${moving.slice(0, 3).join(', ')}.`;
}
