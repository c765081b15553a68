import { expect, it } from 'vitest';
import { Catalog } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { approvalRules } from './approval-rules.ts';
import type { Grant } from './grant.ts';

const catalog = new Catalog(catalogData);
const rulesOf = (asked: readonly string[], widened: readonly string[], side: 'own' | 'connect' = 'own') =>
  approvalRules({
    asked: new Set(side === 'own' ? asked : []),
    connect: { asked: new Set(side === 'own' ? [] : asked) },
    widenings: [{ operations: widened }],
  } as unknown as Grant).map(({ action, control }) => `${control}: ${action}`);

it.each([
  [['refunds.create'], ['charges.create'], ['approve: refund created']],
  [['paymentIntents.capture'], ['paymentIntents.create'], ['block: payment intent created']],
  [
    ['subscriptions.create'],
    ['subscriptions.cancel'],
    ['approve: subscription created', 'block: subscription cancelled'],
  ],
  [['charges.list'], [], []],
])('asked %j, widened to %j: %j', (asked, widened, rules) => {
  expect(rulesOf(asked, widened)).toEqual(rules);
  expect(rulesOf(asked, widened, 'connect')).toEqual(rules);
  for (const name of [...asked, ...widened]) expect(catalog.operation(name), name).toBeDefined();
});
