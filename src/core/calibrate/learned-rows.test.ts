import { describe, expect, it } from 'vitest';
import { Catalog, type Operation, type Provenance } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { type LearnedKind, learnedRows, withNames, withRemarks } from './learned-rows.ts';
import {
  addRefusals,
  HIGHEST_COUNT,
  MOST_NAMES_OF_A_CALL,
  MOST_REFUSALS,
  type NamedRefusal,
} from './named-refusals.ts';

const version = catalogData.apiVersion;
const first = (provenance: Provenance): Operation => {
  const found = catalogData.operations.find((one) => one.provenance === provenance);
  if (found === undefined) throw new Error(provenance);
  return found;
};
const refusal = (operation: string, name: string, more: Partial<NamedRefusal> = {}): NamedRefusal => ({
  operation,
  name,
  apiVersion: version,
  day: '2026-11-25',
  count: 1,
  ...more,
});
const learn = (refusals: readonly NamedRefusal[], settled: readonly string[] = []) =>
  learnedRows(catalogData.operations, refusals, { apiVersion: version, settled: new Set(settled) });

describe('learnedRows', () => {
  it.each<[provenance: Provenance, name: 'own' | 'other', kind: LearnedKind, inUse: 'own' | 'other']>([
    ['unknown', 'other', 'filled', 'other'],
    ['inferred', 'other', 'replaced', 'other'],
    ['inferred', 'own', 'agrees', 'own'],
    ['documented', 'other', 'contradicted', 'own'],
    ['documented', 'own', 'agrees', 'own'],
    ['observed', 'other', 'contradicted', 'own'],
  ])('%s, named its %s: %s', (provenance, which, kind, inUse) => {
    const operation = first(provenance);
    const name = which === 'own' ? (operation.permissions[0] ?? '') : 'payout_write';
    const learned = learn([refusal(operation.name, name, { count: 3 })]);
    expect(learned).toMatchObject([{ operation: operation.name, kind, named: [{ name, count: 3 }] }]);
    const lookedUp = new Catalog(withNames(catalogData, learned)).operation(operation.name);
    expect(lookedUp?.permissions).toEqual(inUse === 'own' ? operation.permissions : [name]);
    const rank = kind === 'contradicted' || provenance === 'documented' ? provenance : 'named';
    expect(lookedUp?.provenance).toBe(rank);
  });

  it.each(['unknown', 'inferred', 'documented', 'observed'] as const)(
    'changes no permission by which a key is judged: %s',
    (provenance) => {
      const operation = first(provenance);
      const learned = learn([refusal(operation.name, 'charge_write', { count: 1_000 })]);
      const judged = withRemarks(catalogData, learned).operations.find(({ name }) => name === operation.name);
      const { remark, ...row } = judged as Operation;
      const { remark: _, ...before } = operation;
      expect(row).toEqual(before);
      expect(remark).toContain('1000 refusals on this account (last on 2026-11-25) named charge_write');
    },
  );

  it('leaves out what is settled, and what another API version said', () => {
    const { name } = first('documented');
    expect(learn([refusal(name, 'payout_write')], [name])).toEqual([]);
    expect(learn([refusal(name, 'payout_write', { apiVersion: '2020-08-27' })])).toEqual([]);
  });

  it('takes the name that was given most often, and adds one that no list has', () => {
    const { name } = first('unknown');
    const learned = learn([
      refusal(name, 'lie_read', { count: 2 }),
      refusal(name, 'brand_new_read', { count: 9 }),
    ]);
    const catalog = new Catalog(withNames(catalogData, learned));
    expect(catalog.operation(name)?.permissions).toEqual(['brand_new_read']);
    expect(catalog.permission('brand_new_read')).toMatchObject({ level: 'read', managedApi: false });
  });
});

describe('addRefusals', () => {
  const fresh = (operation: string, name: string) => ({ operation, name, apiVersion: version });

  it('counts, and remembers the last day', () => {
    const once = addRefusals([], [fresh('a', 'charge_read')], '2026-11-24');
    expect(addRefusals(once, [fresh('a', 'charge_read')], '2026-11-25')).toEqual([
      refusal('a', 'charge_read', { count: 2 }),
    ]);
    const [most] = addRefusals(
      [refusal('a', 'charge_read', { count: HIGHEST_COUNT })],
      [fresh('a', 'charge_read')],
      '2026-11-25',
    );
    expect(most?.count).toBe(HIGHEST_COUNT);
  });

  it.each([
    ['no name of a permission', 'charge'],
    ['a control character', 'charge\u001b[2J_read'],
    ['a key', 'rk_test_51abcdefghijklmnop'],
    ['an id', 'acct_1ABCDEF'],
    ['something endless', `${'a'.repeat(200)}_read`],
    ['nothing', ''],
  ])('keeps nothing that is %s', (_what, name) => {
    expect(addRefusals([], [fresh('a', name)], '2026-11-25')).toEqual([]);
  });

  it('is bounded for a server that makes names up, and keeps what was said most', () => {
    const truth = refusal('a', 'charge_read', { count: 5 });
    const lies = Array.from({ length: 500 }, (_, index) => fresh('a', `lie${index}_read`));
    const kept = addRefusals([truth], lies, '2026-11-26');
    expect(kept).toHaveLength(MOST_NAMES_OF_A_CALL);
    expect(kept).toContainEqual(truth);
    const many = Array.from({ length: MOST_REFUSALS + 50 }, (_, index) => fresh(`op${index}`, 'charge_read'));
    expect(addRefusals([], many, '2026-11-26')).toHaveLength(MOST_REFUSALS);
  });
});
