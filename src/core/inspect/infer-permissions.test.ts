import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { grantOf, shippedProfiles, TODAY } from '../../../test/support/profiles.ts';
import { allows, Catalog, type Operation, type PermissionName } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { parametersOf } from '../catalog/parameters.ts';
import { profileFor } from '../draft/profile-for-permissions.ts';
import { resolveGrant } from '../grant/grant.ts';
import { buildProbe } from '../probe/build-probe.ts';
import { readProfile } from '../profile/read-profile.ts';
import { resolveProfile } from '../profile/resolve-profile.ts';
import {
  type InferredPermission,
  inferPermissions,
  planInspection,
  type Shown,
} from './infer-permissions.ts';

const shipped = new Catalog(catalogData);
const probeFor = (operation: Operation) =>
  buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'abc123' });
const inspection = planInspection(shipped, probeFor);

/** `operation METHOD path permissions provenance answer`, the answer as `allowed`, `forbidden weak` and so on. */
function answers(
  rows: readonly string[],
  implications: readonly (readonly [from: string, to: string])[] = [],
  more: readonly string[] = [],
): { catalog: Catalog; shown: readonly Shown[] } {
  const parsed = rows.map((row) => {
    const [name = '', permissions = '', provenance = '', kind = '', evidence = 'strong'] = row.split(/\s+/);
    const operation: Operation = {
      name,
      method: 'GET',
      path: `/v1/${name}`,
      resource: name,
      kind: 'list',
      host: 'api',
      permissions: permissions === '-' ? [] : permissions.split('|'),
      provenance: provenance as Operation['provenance'],
      source: 'test',
    };
    return { operation, kind, evidence };
  });
  const names = new Set([
    ...parsed.flatMap(({ operation }) => operation.permissions),
    ...implications.flat(),
    ...more,
  ]);
  const catalog = new Catalog({
    source: 'test',
    apiVersion: 'test',
    operations: parsed.map(({ operation }) => operation),
    permissions: [...names].sort().map((name) => ({
      name,
      label: name,
      group: 'test',
      level: 'read',
      scope: `rak_${name}`,
      managedApi: true,
      source: 'test',
    })),
    implications: implications.map(([from, to]) => ({ from, to: [to], source: 'test' })),
  });
  const shown = parsed
    .filter(({ kind }) => kind !== 'unasked')
    .map(({ operation, kind, evidence }) => ({
      operation,
      verdict: { kind, evidence } as Shown['verdict'],
    }));
  return { catalog, shown };
}

/** `a held strong documented by op1,op2 (implied by x)` or `a undetermined: reason`. */
function inShort(one: InferredPermission): string {
  const { permission, state, evidence, provenance, operations, by, reason } = one;
  if (state === 'undetermined') return `${permission} undetermined: ${reason}`;
  return `${permission} ${state} ${evidence} ${provenance} by ${operations.join(',')}${by === undefined ? '' : ` through ${by}`}`;
}

type Row = readonly [
  name: string,
  rows: readonly string[],
  expected: readonly string[],
  extra?: {
    readonly implies?: readonly (readonly [string, string])[];
    readonly more?: readonly string[];
    readonly contradictions?: readonly string[];
  },
];

const rows: readonly Row[] = [
  ['allowed: held', ['op a documented allowed'], ['a held strong documented by op']],
  ['forbidden: absent', ['op a inferred forbidden'], ['a absent strong inferred by op']],
  ['a 400 is weak evidence', ['op a documented allowed weak'], ['a held weak documented by op']],
  ['no answer that tells', ['op a documented inconclusive'], ['a undetermined: inconclusive']],
  [
    'impossible says nothing of the permission',
    ['op a documented impossible'],
    ['a undetermined: inconclusive'],
  ],
  ['not asked', ['op a documented unasked'], ['a undetermined: not-asked']],
  ['no operation', [], ['a undetermined: no-operation'], { more: ['a'] }],
  [
    'the best row leads, whatever the order',
    ['op1 a inferred allowed', 'op2 a documented allowed weak', 'op3 a observed allowed'],
    ['a held strong observed by op3,op1,op2'],
  ],
  [
    'a refusal excludes all that would do',
    ['op a|b documented forbidden'],
    ['a absent strong documented by op', 'b absent strong documented by op'],
  ],
  [
    'allowed by one of two: the other is known to be absent',
    ['op1 a|b documented allowed', 'op2 a inferred forbidden'],
    ['a absent strong inferred by op2', 'b held strong inferred by op1'],
  ],
  [
    'such a conclusion is as weak as what it rests on',
    ['op1 a|b documented allowed weak', 'op2 a observed forbidden'],
    ['a absent strong observed by op2', 'b held weak observed by op1'],
  ],
  [
    'allowed by one of two: which cannot be told',
    ['op a|b documented allowed'],
    ['a undetermined: covered', 'b undetermined: covered'],
  ],
  [
    'allowed by one of two: one is known to be held',
    ['op1 a|b documented allowed', 'op2 a documented allowed'],
    ['a held strong documented by op2', 'b undetermined: covered'],
  ],
  [
    'allowed by one of two, each of which brings a third',
    ['op a|b documented allowed'],
    ['a undetermined: covered', 'b undetermined: covered', 'c held strong documented by op'],
    {
      implies: [
        ['a', 'c'],
        ['b', 'c'],
      ],
    },
  ],
  [
    'held brings what it implies, and so on',
    ['op a documented allowed'],
    [
      'a held strong documented by op',
      'b held strong documented by op through a',
      'c held strong documented by op through a',
    ],
    {
      implies: [
        ['a', 'b'],
        ['b', 'c'],
      ],
    },
  ],
  [
    'absent excludes what would bring it',
    ['op c documented forbidden'],
    [
      'a absent strong documented by op through c',
      'b absent strong documented by op through c',
      'c absent strong documented by op',
    ],
    {
      implies: [
        ['a', 'b'],
        ['b', 'c'],
      ],
    },
  ],
  [
    'an exclusion by implication serves as well',
    ['op1 a|b documented allowed', 'op2 c documented forbidden'],
    [
      'a absent strong documented by op2 through c',
      'b held strong documented by op1',
      'c absent strong documented by op2',
    ],
    { implies: [['a', 'c']] },
  ],
  [
    'an answer counts before an implication',
    ['op1 a documented allowed', 'op2 b documented forbidden'],
    ['a held strong documented by op1', 'b absent strong documented by op2'],
    { implies: [['a', 'b']] },
  ],
  [
    'two that bring each other',
    ['op a documented allowed'],
    ['a held strong documented by op', 'b held strong documented by op through a'],
    {
      implies: [
        ['a', 'b'],
        ['b', 'a'],
      ],
    },
  ],
  [
    'contradicting answers: the better row wins',
    ['op1 a documented allowed', 'op2 a inferred forbidden'],
    ['a held strong documented by op1'],
    { contradictions: ['op2'] },
  ],
  [
    'contradicting answers: strong wins over weak, whatever the row',
    ['op1 a documented allowed weak', 'op2 a inferred forbidden'],
    ['a absent strong inferred by op2'],
    { contradictions: ['op1'] },
  ],
  [
    'contradicting answers of equal worth',
    ['op1 a documented allowed', 'op2 a documented forbidden'],
    ['a undetermined: contradiction'],
    { contradictions: ['op2'] },
  ],
  [
    'allowed, though all that would do are absent',
    ['op1 a|b documented allowed', 'op2 a|b documented forbidden'],
    ['a absent strong documented by op2', 'b absent strong documented by op2'],
    { contradictions: ['op1'] },
  ],
  [
    'allowed, and no permission is known that would do',
    ['op1 - unknown allowed', 'op2 a documented forbidden'],
    ['a absent strong documented by op2'],
    { contradictions: ['op1'] },
  ],
  ['forbidden, and no permission is known: as expected', ['op - unknown forbidden'], []],
];

describe('inferPermissions', () => {
  const cases = rows.map(([name, text, expected, extra = {}]) => ({ name, text, expected, extra }));
  it.each(cases)('$name', ({ text, expected, extra }) => {
    const { catalog, shown } = answers(text, extra.implies, extra.more);
    const inference = inferPermissions(catalog, shown);
    expect(inference.permissions.map(inShort)).toEqual(expected);
    expect(inference.contradictions.map(({ operation }) => operation)).toEqual(extra.contradictions ?? []);
    expect(inferPermissions(catalog, [...shown].reverse()).permissions.map(({ state }) => state)).toEqual(
      inference.permissions.map(({ state }) => state),
    );
  });
});

describe('planInspection', () => {
  it('asks at most one operation for each permission that has one', () => {
    const tellable = shipped.permissions.filter(({ name }) => shipped.operationsOf(name).length > 0);
    expect(inspection.length).toBeLessThanOrEqual(tellable.length);
    expect(new Set(inspection).size).toBe(inspection.length);
  });

  it('asks of every permission that has an operation of its own by one of these', () => {
    const unseen = shipped.permissions
      .map(({ name }) => name)
      .filter((name) => shipped.operationsOf(name).some(({ permissions }) => permissions.length === 1))
      .filter(
        (name) => !inspection.some(({ permissions }) => permissions.length === 1 && permissions[0] === name),
      );
    expect(unseen).toEqual([]);
  });

  it('asks of the others by an operation that needs as few besides as can be', () => {
    const names = inspection
      .filter(({ permissions }) => permissions.length > 1)
      .map(({ permissions }) => permissions);
    expect(names).toEqual([
      ['connected_account_read', 'accounts_kyc_basic_read'],
      ['customer_read', 'customer_limited_read'],
      ['setup_intent_read', 'confirmation_token_client_read'],
      ['subscription_read', 'billing_cadence_read'],
      ['customer_read', 'tax_id_read'],
      ['customer_write', 'tax_id_write'],
    ]);
  });

  it('takes the operation with the best evidence', () => {
    const chosen = inspection.filter(
      ({ permissions }) => permissions.length === 1 && permissions[0] === 'charge_read',
    );
    expect(chosen.map(({ method, provenance }) => [method, provenance])).toEqual([['GET', 'documented']]);
  });
});

/** The answers of a key that holds `grant`, as the catalog has it. */
function simulate(grant: Iterable<PermissionName>, operations: readonly Operation[]): Shown[] {
  const effective = shipped.closure(grant);
  return operations.map((operation) => {
    const kind = allows(effective, operation) ? 'allowed' : 'forbidden';
    return { operation, verdict: { kind, evidence: 'strong' } };
  });
}

/** A small generator of numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const shippedGrants = shippedProfiles().map((profile): [string, readonly PermissionName[]] => {
  return [`${profile.name}.yaml`, grantOf(profile).permissions];
});
const randomGrants = Array.from({ length: 60 }, (_, seed): [string, readonly PermissionName[]] => {
  const random = seeded(seed);
  const share = random() ** 2;
  const names = shipped.permissions.map(({ name }) => name).filter(() => random() < share);
  return [`random ${seed}: ${names.length} permissions`, names];
});
const grants = [
  ['nothing', []] as [string, readonly PermissionName[]],
  ['everything', shipped.permissions.map(({ name }) => name)] as [string, readonly PermissionName[]],
  ...shippedGrants,
  ...randomGrants,
];

describe.each(grants)('a key with the grant of %s', (_name, grant) => {
  const effective = shipped.closure(grant);
  const { permissions, contradictions } = inferPermissions(shipped, simulate(grant, inspection));
  const held = permissions.filter(({ state }) => state === 'held').map(({ permission }) => permission);

  it('is never misread, and all that can be told is told', () => {
    expect(contradictions).toEqual([]);
    for (const { permission, state, reason } of permissions) {
      if (state === 'undetermined') {
        const operations = shipped.operationsOf(permission);
        // Each of its operations is allowed by something else that the key holds, or there is none.
        if (reason === 'no-operation') expect(operations, permission).toEqual([]);
        else {
          expect(reason, permission).toBe('covered');
          for (const operation of operations) {
            const others = operation.permissions.filter((name) => name !== permission);
            expect(
              others.some((name) => effective.has(name)) || effective.has(permission),
              `${permission} by ${operation.name}`,
            ).toBe(true);
            expect(operation.permissions.length, operation.name).toBeGreaterThan(1);
          }
        }
      } else expect([permission, state]).toEqual([permission, effective.has(permission) ? 'held' : 'absent']);
    }
  });

  it('takes at most one request for each permission that is resolved, plus ten', () => {
    const resolved = permissions.filter(({ state }) => state !== 'undetermined').length;
    expect(inspection.length).toBeLessThanOrEqual(resolved + 10);
  });

  it('has no more to show at all operations than at those planned', () => {
    const all = inferPermissions(shipped, simulate(grant, shipped.operations));
    expect(all.contradictions).toEqual([]);
    expect(all.permissions.map(({ permission, state }) => `${permission} ${state}`)).toEqual(
      permissions.map(({ permission, state }) => `${permission} ${state}`),
    );
  });

  it('gets a profile that grants exactly what was found, asks for all of it, and widens nothing', () => {
    const document = profileFor(held, shipped, 'inspected');
    const reading = readProfile(stringify(document), 'inspected.yaml', shipped);
    if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
    const again = resolveGrant(
      resolveProfile(reading.profile, () => undefined),
      shipped,
      TODAY,
    );
    expect([...again.effective].sort()).toEqual([...shipped.closure(held)].sort());
    expect(again.permissions.filter((name) => !held.includes(name))).toEqual([]);
    expect(again.widenings).toEqual([]);
    expect(again.contradictions).toEqual([]);
    const allowed = shipped.operations.filter((operation) => allows(again.effective, operation));
    expect(allowed.filter(({ name }) => !again.asked.has(name))).toEqual([]);
  });
});

describe('profileFor', () => {
  const profiles: readonly (readonly [
    name: string,
    held: readonly PermissionName[],
    permissions: Readonly<Record<string, string>>,
  ])[] = [
    ['nothing', [], {}],
    [
      'every resource of one permission',
      ['balance_read'],
      { balance: 'read', balance_settings: 'read', balance_transactions: 'read' },
    ],
    [
      'each resource at the level that the permission gives',
      ['charge_write'],
      { charges: 'write', refunds: 'write', 'radar/early_fraud_warnings': 'read' },
    ],
    ['a permission that no operation needs', ['datastore_read'], { datastore_read: 'read' }],
    ['a write of its own level', ['datastore_write', 'datastore_read'], { datastore_write: 'write' }],
  ];
  it.each(profiles)('%s', (_name, held, permissions) => {
    expect(profileFor(held, shipped, 'p')).toEqual({ name: 'p', permissions });
  });
});
