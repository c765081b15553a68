import { describe, expect, it } from 'vitest';
import { Catalog, type OperationName } from '../catalog/catalog.ts';
import { catalogData } from '../catalog/data/catalog.ts';
import { parametersOf } from '../catalog/parameters.ts';
import { buildProbe } from '../probe/build-probe.ts';
import {
  type Calibration,
  type CalibrationAnswer,
  type CalibrationEntry,
  calibrationRows,
  currentCalibration,
  effectiveOfBare,
  isUnfinished,
  probeForm,
  probeQuality,
  withCalibration,
} from './calibration.ts';

const catalog = new Catalog(catalogData);

/** `403 forbidden charge_read`: status, verdict and what it names. */
function answer(text: string): CalibrationAnswer {
  const [status = '', verdict = '', ...named] = text.split(' ');
  return {
    status: status === '-' ? null : Number(status),
    verdict: verdict as CalibrationAnswer['verdict'],
    named,
  };
}

function entry(bare: string | undefined, full: string | undefined): CalibrationEntry {
  return {
    ...(bare === undefined ? {} : { bare: answer(bare) }),
    ...(full === undefined ? {} : { full: answer(full) }),
  };
}

function calibration(
  entries: Record<OperationName, CalibrationEntry>,
  bareHolds: string[] = [],
): Calibration {
  return { bareHolds, entries: new Map(Object.entries(entries)) };
}

const operation = (name: OperationName) => {
  const found = catalog.operation(name);
  if (found === undefined) throw new Error(name);
  return found;
};

describe('probeQuality', () => {
  const held = new Set(['shipping_rate_read']);
  it.each<[name: OperationName, bare: string | undefined, full: string | undefined, quality: string]>([
    ['charges.list', '403 forbidden', '200 allowed', 'telling'],
    ['charges.create', '403 forbidden', '400 allowed', 'telling'],
    ['charges.capture', '403 impossible', '404 allowed', 'telling'],
    ['charges.create', '400 allowed', '400 allowed', 'blind'],
    ['charges.retrieve', '404 allowed', '404 allowed', 'blind'],
    ['charges.create', '200 allowed', undefined, 'unsafe'],
    ['charges.create', '403 forbidden', '201 allowed', 'unsafe'],
    ['charges.list', '200 allowed', '200 allowed', 'held'],
    ['shippingRates.retrieve', '404 allowed', '404 allowed', 'held'],
    ['charges.list', undefined, '200 allowed', 'unfinished'],
    ['charges.list', '403 forbidden', undefined, 'unfinished'],
    ['charges.list', '429 inconclusive', undefined, 'unfinished'],
    ['charges.create', '200 inconclusive', '200 inconclusive', 'undetermined'],
    ['charges.list', '500 inconclusive', '200 allowed', 'undetermined'],
    ['charges.list', '- inconclusive', '200 allowed', 'undetermined'],
    ['charges.list', '403 forbidden', '403 forbidden', 'undetermined'],
    ['charges.create', '400 allowed', '429 inconclusive', 'undetermined'],
  ])('%s answered %s and %s is %s', (name, bare, full, quality) => {
    expect(probeQuality(operation(name), entry(bare, full), held)).toBe(quality);
    const isOpen = isUnfinished(
      operation(name),
      calibration({ [name]: entry(bare, full) }, [...held]),
      catalog,
    );
    expect(isOpen).toBe(quality === 'undetermined' || quality === 'unfinished');
  });

  it('knows what a key from elsewhere holds by the reads that it may make', () => {
    const shown = calibration({
      'charges.list': entry('200 allowed', '200 allowed'),
      'charges.retrieve': entry('404 allowed', '404 allowed'),
      'coupons.retrieve': entry('404 allowed', '404 allowed'),
      'invoices.create': entry('400 allowed', '400 allowed'),
      'invoices.update': entry('404 allowed', '404 allowed'),
      'customers.create': entry('400 allowed', '400 allowed'),
      'customers.update': entry('403 forbidden', '404 allowed'),
    });
    expect([...effectiveOfBare(shown, catalog)]).toContain('charge_read');
    expect([...effectiveOfBare(shown, catalog)]).not.toContain('coupon_read');
    expect(calibrationRows(shown, catalog).map((row) => `${row.operation} ${row.quality}`)).toEqual([
      'charges.list held',
      'charges.retrieve held',
      'coupons.retrieve blind',
      'customers.create blind',
      'customers.update telling',
      'invoices.create held',
      'invoices.update held',
    ]);
  });
});

describe('rows', () => {
  it.each<[name: OperationName, named: string, wrong: boolean]>([
    ['charges.list', 'charge_read', false],
    ['charges.list', 'invoice_read charge_read', false],
    ['charges.list', 'invoice_read', true],
    ['charges.list', '', false],
  ])('%s whose refusal names "%s": wrong %s', (name, named, wrong) => {
    const shown = calibration({ [name]: entry(`403 forbidden ${named}`.trim(), '200 allowed') });
    expect(calibrationRows(shown, catalog)).toMatchObject([{ operation: name, wrongRow: wrong }]);
    const { provenance } =
      new Catalog(withCalibration(catalogData, shown, [])).operation(name) ?? expect.fail();
    expect(provenance).toBe(!wrong && named !== '' ? 'calibrated' : operation(name).provenance);
  });

  it('of the resolver take the place of shipped ones, unheard-of permissions included', () => {
    const rows = [{ operation: 'charges.list', permissions: ['ledger_read'] }];
    const changed = new Catalog(withCalibration(catalogData, calibration({}), rows));
    expect(changed.operation('charges.list')).toMatchObject({
      permissions: ['ledger_read'],
      provenance: 'calibrated',
    });
    expect(changed.operationsOf('charge_read').map(({ name }) => name)).not.toContain('charges.list');
    expect(changed.permission('ledger_read')).toMatchObject({ level: 'read', managedApi: false });
    expect(changed.operations).toHaveLength(catalog.operations.length);
  });
});

describe('the form of a probe', () => {
  const probeOf = (name: OperationName, nonce: string) =>
    buildProbe(operation(name), { parameters: parametersOf(name), nonce });

  it('is the same in every run, and tells of all that is sent', () => {
    for (const { name } of catalog.operations)
      expect(probeForm(probeOf(name, 'aaa'))).toBe(probeForm(probeOf(name, 'bbb')));
    expect(probeForm(probeOf('charges.list', 'a'))).toBe('list limit');
    expect(probeForm(probeOf('refunds.create', 'a'))).toBe('missing-object charge');
    expect(probeForm(probeOf('files.create', 'a'))).toBe('impossible-value multipart keyaudit_probe purpose');
  });

  it('decides whether answers still count', () => {
    const probeFor = ({ name }: { name: OperationName }) => probeOf(name, 'abc');
    const kept = calibration({
      'charges.list': { ...entry('403 forbidden', '200 allowed'), probe: 'list limit' },
      'refunds.create': { ...entry('403 forbidden', '400 allowed'), probe: 'missing-parameter amount' },
      'coupons.list': entry('403 forbidden', '200 allowed'),
      'gone.list': { ...entry('403 forbidden', '200 allowed'), probe: 'list limit' },
    });
    const current = currentCalibration(kept, catalog, probeFor);
    expect([...current.entries.keys()]).toEqual(['charges.list']);
  });
});
