import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { grantOf, profileOf } from '../../../test/support/profiles.ts';
import { BeyondSdk, isBeyondSdk } from '../catalog/beyond-sdk.ts';
import { allows, Catalog, type Operation, type PermissionName } from '../catalog/catalog.ts';
import { beyondSdkRows } from '../catalog/data/beyond-sdk.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { parametersOf } from '../catalog/parameters.ts';
import { buildBeyondProbe } from './build-beyond-probe.ts';
import { buildProbe } from './build-probe.ts';
import { DEPTHS, type Depth } from './depth.ts';
import { type ProbePlan, planProbes } from './probe-plan.ts';

const shipped = new Catalog(catalogData);
const folder = new URL('../../../profiles/', import.meta.url);
const profiles = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => [file.replace('.yaml', ''), readFileSync(new URL(file, folder), 'utf8')] as const);

interface Planned extends ProbePlan {
  readonly catalog: Catalog;
  readonly names: readonly string[];
  readonly effective: ReadonlySet<PermissionName>;
  readonly granted: readonly PermissionName[];
}

function plan(
  text: string,
  depth: Depth,
  {
    catalog = shipped,
    calibrated = [],
    blind = [],
    target = 'sandbox',
  }: {
    catalog?: Catalog;
    calibrated?: readonly string[];
    blind?: readonly string[];
    target?: 'sandbox' | 'stripe-mock' | 'stripe';
  } = {},
): Planned {
  const profile = profileOf(text, 'p.yaml', catalog);
  const grant = grantOf(profile, catalog);
  const probeFor = (operation: Operation) =>
    buildProbe(operation, {
      parameters: shipped.operation(operation.name) === undefined ? [] : parametersOf(operation.name),
      nonce: 'abc123',
      calibrated: calibrated.includes(operation.name),
      blind: blind.includes(operation.name),
    });
  const planned = planProbes({
    catalog,
    profile,
    grant,
    depth,
    probeFor,
    target,
  });
  return {
    ...planned,
    catalog,
    names: planned.probes.map(({ operation }) => operation.name),
    effective: grant.effective,
    granted: grant.permissions,
  };
}

/** A catalog of few rows: `name METHOD path permissions provenance`. */
function smallCatalog(
  rows: readonly string[],
  implications: readonly (readonly [from: string, to: string])[] = [],
): Catalog {
  const operations = rows.map((row) => {
    const [name = '', method = '', path = '', permissions = '', provenance = ''] = row.split(/\s+/);
    const action = name.split('.')[1] ?? '';
    return {
      name,
      method: method as Operation['method'],
      path,
      resource: name.split('.')[0] ?? '',
      kind: action as Operation['kind'],
      host: 'api' as const,
      permissions: permissions === '-' ? [] : permissions.split('|'),
      provenance: provenance as Operation['provenance'],
      source: 'test',
    };
  });
  const names = new Set([...operations.flatMap(({ permissions }) => permissions), ...implications.flat()]);
  return new Catalog({
    source: 'test',
    apiVersion: 'test',
    permissions: [...names].map((name) => ({
      name,
      label: name,
      group: 'test',
      level: name.endsWith('_write') ? 'write' : 'read',
      scope: `rak_${name}`,
      managedApi: true,
      source: 'test',
    })),
    implications: implications.map(([from, to]) => ({ from, to: [to], source: 'test' })),
    operations,
  });
}

const refunds = `
name: r
permissions: { charges: read, refunds: write }
checks: { allow: [refunds.create], forbid: [payment_intents.create] }
accept: [{ operations: [charges.create, charges.capture], reason: bundled }]
`;

describe('what no answer can tell', () => {
  it('at depth endpoints leaves out what answers in the form of OAuth or takes the token of a session', () => {
    const all = plan('name: a\npermissions: { charges: read }', 'endpoints');
    const fewer = plan('name: a\npermissions: { charges: read }', 'endpoints', { target: 'stripe' });
    expect(all).toMatchObject({ unasked: [] });
    expect(all.names).toHaveLength(650);
    expect(fewer.unasked).toEqual([
      { operation: 'oauth.deauthorize', reason: 'oauth' },
      { operation: 'oauth.token', reason: 'oauth' },
      { operation: 'v2.billing.meterEventStream.create', reason: 'session-token' },
    ]);
    expect(all.names.filter((name) => !fewer.names.includes(name))).toEqual(
      fewer.unasked.map(({ operation }) => operation),
    );
  });

  it('takes a call that stripe-mock knows where the key may, and any where it may not', () => {
    const { names, unverifiable, unasked } = plan(
      'name: a\npermissions: { tax_locations_write: write, subscriptions: write }',
      'permissions',
      { target: 'stripe-mock' },
    );
    expect(names).not.toContain('subscriptions.pause');
    expect(names.filter((name) => /^subscriptions\./.test(name))).not.toEqual([]);
    expect(names.some((name) => /^v2\./.test(name))).toBe(true);
    expect(unverifiable).toContainEqual(
      expect.objectContaining({ permission: 'tax_locations_write', reason: 'stripe-mock' }),
    );
    expect(unasked).toEqual([]);
  });

  it('asks them all the same when the profile names them', () => {
    const named = 'name: a\npermissions: { charges: read }\nchecks: { forbid: [oauth.token] }';
    const { names, unasked } = plan(named, 'endpoints', { target: 'stripe' });
    expect(names).toContain('oauth.token');
    expect(unasked.map(({ operation }) => operation)).toEqual([
      'oauth.deauthorize',
      'v2.billing.meterEventStream.create',
    ]);
  });

  it('takes another probe in place of a blind one, and says so where there is none', () => {
    const catalog = smallCatalog([
      'a.list GET /v1/a a_read documented',
      'a.retrieve GET /v1/a/{id} a_read inferred',
      'b.create POST /v1/b b_write documented',
      'c.list GET /v1/c c_read documented',
    ]);
    const text = 'name: p\npermissions: { c: read }';
    expect(plan(text, 'permissions', { catalog }).names).toEqual(['a.list', 'b.create', 'c.list']);
    const seeing = plan(text, 'permissions', { catalog, blind: ['a.list', 'b.create'] });
    expect(seeing.names).toEqual(['a.retrieve', 'c.list']);
    expect(seeing.unverifiable).toEqual([
      { permission: 'b_write', reason: 'blind', operations: ['b.create'] },
    ]);
    expect(plan(text, 'endpoints', { catalog, blind: ['a.list', 'b.create'] }).names).toHaveLength(4);
  });

  it('lists a widening whose probe is blind', () => {
    const { names, unasked } = plan(refunds, 'permissions', { blind: ['charges.capture'] });
    expect(names).not.toContain('charges.capture');
    expect(unasked).toEqual([{ operation: 'charges.capture', reason: 'blind' }]);
  });
});

describe('the depths', () => {
  it('checks: the named calls and no more, in the order of the catalog', () => {
    expect(plan(refunds, 'checks').names).toEqual(['paymentIntents.create', 'refunds.create']);
  });

  it('checks: nothing named, nothing probed, and no word about permissions', () => {
    expect(plan('name: a\npermissions: { charges: read }', 'checks')).toMatchObject({
      probes: [],
      unverifiable: [],
    });
  });

  it('permissions: the named calls, accepted widenings and those that write', () => {
    const { names } = plan(refunds, 'permissions');
    for (const name of [
      'refunds.create',
      'paymentIntents.create',
      'charges.create',
      'charges.capture',
      'charges.update',
    ]) {
      expect(names).toContain(name);
    }
    expect(names.length).toBeLessThan(shipped.permissions.length + 40);
  });

  it('endpoints: every operation once', () => {
    const { names } = plan(refunds, 'endpoints');
    expect(names).toEqual(shipped.operations.map(({ name }) => name));
  });

  it.each(profiles)('each holds what the one before holds: %s', (_name, text) => {
    const [checks = [], permissions = [], endpoints = []] = DEPTHS.map((depth) => plan(text, depth).names);
    expect(permissions).toEqual(expect.arrayContaining([...checks]));
    expect(endpoints).toEqual(expect.arrayContaining([...permissions]));
    expect(new Set(permissions).size).toBe(permissions.length);
  });
});

describe('the choice for one permission', () => {
  const rows: readonly (readonly [
    name: string,
    operations: readonly string[],
    calibrated: readonly string[],
    chosen: string,
  ])[] = [
    [
      'documented before observed',
      ['a.list GET /v1/a x_read observed', 'b.list GET /v1/b x_read documented'],
      [],
      'b.list',
    ],
    [
      'observed before inferred',
      ['a.list GET /v1/a x_read inferred', 'b.list GET /v1/b x_read observed'],
      [],
      'b.list',
    ],
    [
      'documented and weak before observed and strong',
      ['a.delete DELETE /v1/a/{id} x_write observed', 'b.create POST /v1/b x_write documented'],
      [],
      'b.create',
    ],
    [
      'calibrated before documented',
      ['a.update POST /v1/a/{id} x_write documented', 'b.create POST /v1/b x_write inferred'],
      ['b.create'],
      'b.create',
    ],
    [
      'a row calibrated on the account counts as calibrated',
      ['a.list GET /v1/a x_read documented', 'b.list GET /v1/b x_read calibrated'],
      [],
      'b.list',
    ],
    [
      'strong before weak',
      ['a.create POST /v1/a x_write documented', 'b.delete DELETE /v1/b/{id} x_write documented'],
      [],
      'b.delete',
    ],
    [
      'a read before a write',
      ['a.update POST /v1/a/{id} x_read documented', 'b.list GET /v1/b x_read documented'],
      [],
      'b.list',
    ],
    [
      'the first of equals',
      ['a.list GET /v1/a x_read documented', 'b.list GET /v1/b x_read documented'],
      [],
      'a.list',
    ],
    [
      'only what tells: a better row that another permission covers does not',
      [
        'z.list GET /v1/z y_read documented',
        'a.list GET /v1/a x_read|y_read documented',
        'b.list GET /v1/b x_read inferred',
      ],
      [],
      'b.list',
    ],
  ];
  it.each(rows)('%s', (_name, operations, calibrated, chosen) => {
    const catalog = smallCatalog(operations);
    const held = operations.some((row) => row.includes('y_read')) ? '{ z: read }' : '{}';
    const { names, unverifiable } = plan(`name: p\npermissions: ${held}`, 'permissions', {
      catalog,
      calibrated,
    });
    expect(names.filter((name) => name !== 'z.list')).toEqual([chosen]);
    expect(unverifiable).toEqual([]);
  });
});

describe('what cannot be verified', () => {
  it('no operation needs the permission', () => {
    const catalog = smallCatalog(['a.list GET /v1/a x_read documented'], [['lonely_read', 'idle_read']]);
    expect(plan('name: p\npermissions: {}', 'permissions', { catalog }).unverifiable).toEqual([
      { permission: 'lonely_read', reason: 'no-operation', operations: [] },
      { permission: 'idle_read', reason: 'no-operation', operations: [] },
    ]);
  });

  it('but not one that brings another, whose calls tell', () => {
    const catalog = smallCatalog(['a.list GET /v1/a x_read documented'], [['lonely_read', 'x_read']]);
    const { unverifiable, names } = plan('name: p\npermissions: {}', 'permissions', { catalog });
    expect(unverifiable).toEqual([]);
    expect(names).toEqual(['a.list']);
  });

  it('a read that the granted write implies', () => {
    const catalog = smallCatalog(
      ['a.list GET /v1/a x_read documented', 'a.update POST /v1/a/{id} x_write documented'],
      [['x_write', 'x_read']],
    );
    const { unverifiable, names } = plan('name: p\npermissions: { a: write }', 'permissions', { catalog });
    expect(unverifiable).toEqual([
      { permission: 'x_read', reason: 'always-covered', operations: ['a.list'] },
    ]);
    expect(names).toEqual(['a.update']);
  });

  it('an alternative to what is granted', () => {
    const catalog = smallCatalog([
      'a.list GET /v1/a x_read|y_read documented',
      'b.list GET /v1/b x_read documented',
    ]);
    const { unverifiable } = plan('name: p\npermissions: { b: read, a: read }', 'permissions', { catalog });
    expect(unverifiable).toEqual([
      { permission: 'y_read', reason: 'always-covered', operations: ['a.list'] },
    ]);
  });

  it('two granted permissions of which either would do', () => {
    const catalog = smallCatalog(['a.list GET /v1/a x_read|y_read documented']);
    const { unverifiable, names } = plan(
      'name: p\npermissions: { x_read: read, y_read: read }',
      'permissions',
      { catalog },
    );
    expect(unverifiable.map(({ permission }) => permission)).toEqual(['x_read', 'y_read']);
    expect(names).toEqual([]);
  });
});

describe('the shipped profiles', () => {
  it.each(profiles)(
    '%s: every permission of the catalog has a probe that tells, or a reason',
    (_name, text) => {
      const { probes, unverifiable, effective, granted } = plan(text, 'permissions');
      const excused = new Set(unverifiable.map(({ permission }) => permission));
      const unseen = shipped.permissions
        .map(({ name }) => name)
        .filter((permission) => {
          const without = shipped.closure(granted.filter((name) => name !== permission));
          const withIt = shipped.closure([...effective, permission]);
          const told = probes.some(
            ({ operation }) => allows(withIt, operation) !== allows(without, operation),
          );
          return told === excused.has(permission);
        });
      // A permission that no operation needs may still show by one that it implies.
      expect(unseen.filter((name) => shipped.operationsOf(name).length > 0)).toEqual([]);
    },
  );

  it.each(profiles)('%s: no permission is excused that some operation would tell', (_name, text) => {
    const { unverifiable, effective, granted } = plan(text, 'permissions');
    for (const { permission, reason, operations } of unverifiable) {
      expect(operations).toEqual(shipped.operationsOf(permission).map(({ name }) => name));
      expect(reason).toBe(operations.length === 0 ? 'no-operation' : 'always-covered');
      const rest = granted.includes(permission)
        ? shipped.closure(granted.filter((name) => name !== permission))
        : effective;
      for (const name of operations) {
        const operation = shipped.operation(name);
        expect(operation !== undefined && allows(rest, operation), `${permission} by ${name}`).toBe(true);
      }
    }
  });
});

describe('the calls beyond the SDK and on the Connect side', () => {
  it.each(profiles.map(([name, text]) => ({ name, text })))(
    'are at most 12 % more probes at the default depth: $name',
    ({ text }) => {
      const profile = profileOf(text, 'p.yaml', shipped);
      const input = {
        catalog: shipped,
        profile,
        grant: grantOf(profile, shipped),
        depth: 'permissions' as const,
        probeFor: (operation: Operation) =>
          isBeyondSdk(operation)
            ? buildBeyondProbe(operation, 'test')
            : buildProbe(operation, { parameters: parametersOf(operation.name), nonce: 'test' }),
      };
      const before = planProbes(input).probes.length;
      const withBeyond = planProbes({ ...input, beyondSdk: new BeyondSdk(beyondSdkRows, shipped) }).probes
        .length;
      // One more asks whether there is any Connect permission.
      expect((withBeyond + 1) / before).toBeLessThanOrEqual(1.12);
      expect(withBeyond).toBeGreaterThan(before);
    },
  );
});
