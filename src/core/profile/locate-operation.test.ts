import { describe, expect, it } from 'vitest';
import { catalog, profileOf } from '../../../test/support/profiles.ts';
import { locateOperation } from './locate-operation.ts';

const text = `name: agent
permissions:
  refunds: write
  charges: read
  customer_read: read
checks:
  allow: [charges.list]
  forbid:
    - payouts.create
accept:
  - operations: [charges.create]
    reason: bundled
  - operations:
      - charges.capture
    reason: bundled
`;

const rows: readonly [operation: string, accepted: boolean, place: string, why: string][] = [
  ['refunds.create', false, '3:3', 'the entry of its resource'],
  ['charges.retrieve', false, '4:3', 'the entry of its resource, though another entry brings it too'],
  ['charges.update', false, '4:3', 'the entry of its resource, which asks for less than was found'],
  ['charges.list', false, '7:11', 'a check names it'],
  ['payouts.create', false, '9:7', 'a check forbids it'],
  ['charges.create', true, '11:18', 'the acceptance names it'],
  ['charges.capture', true, '14:9', 'the second acceptance names it'],
  ['charges.create', false, '4:3', 'an expired acceptance does not count'],
  ['customers.retrieve', false, '5:3', 'a raw permission'],
  ['radar.earlyFraudWarnings.list', false, '3:3', 'the entry whose permission brings it along'],
  ['payouts.cancel', false, '1:7', 'nothing speaks of it: the profile'],
];

describe('locateOperation', () => {
  it.each(rows)('%s (accepted: %s) stands at %s: %s', (name, accepted, place) => {
    const profile = profileOf(text, 'p.yaml');
    const operation = catalog.operation(name);
    if (operation === undefined) throw new Error(`${name} is not in the catalog`);
    const { line, column } = locateOperation(operation, profile, catalog, { accepted });
    expect(`${line}:${column}`).toBe(place);
  });
});
