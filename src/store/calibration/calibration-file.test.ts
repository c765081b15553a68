import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { userFolder } from '../user-folder.ts';
import {
  calibrationFile,
  readCalibratedRows,
  readCalibration,
  writeCalibratedRows,
  writeCalibration,
} from './calibration-file.ts';

const where = { target: 'stripe', apiVersion: '2026-10-28.endive' };
const calibration = {
  bareHolds: ['shipping_rate_read'],
  entries: new Map([
    [
      'charges.list',
      {
        bare: { verdict: 'forbidden' as const, status: 403, named: ['charge_read'] },
        full: { verdict: 'inconclusive' as const, status: null, named: [], reason: 'network' },
      },
    ],
  ]),
};

async function environment(): Promise<{ XDG_CONFIG_HOME: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-calibration-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return { XDG_CONFIG_HOME: dir };
}

describe('userFolder', () => {
  it.each<[env: Record<string, string>, folder: string]>([
    [{ XDG_CONFIG_HOME: '/c', HOME: '/h' }, '/c/keyaudit'],
    [{ XDG_CONFIG_HOME: 'relative', HOME: '/h' }, '/h/.config/keyaudit'],
    [{ XDG_CONFIG_HOME: '', HOME: '/h' }, '/h/.config/keyaudit'],
    [{}, join(homedir(), '.config/keyaudit')],
  ])('%o', (env, folder) => {
    expect(userFolder(env)).toBe(folder);
  });
});

describe('a calibration', () => {
  it('is kept for one target and API version, for its owner alone', async () => {
    const env = await environment();
    expect(await readCalibration(env, where)).toEqual({ bareHolds: [], entries: new Map() });
    const file = await writeCalibration(env, where, calibration, new Date('2026-11-23'));
    expect(file).toBe(calibrationFile(env, where));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(join(file, '..'))).mode & 0o777).toBe(0o700);
    expect(await readCalibration(env, where)).toEqual(calibration);
    for (const other of [
      { ...where, target: 'sandbox' },
      { ...where, apiVersion: '2027-01-01.x' },
    ])
      expect((await readCalibration(env, other)).entries.size).toBe(0);
  });

  it.each([['{'], ['[]'], ['{"version":2}'], ['']])(
    'that reads "%s" is refused by its path',
    async (text) => {
      const env = await environment();
      const file = await writeCalibration(env, where, calibration, new Date());
      await writeFile(file, text);
      await expect(readCalibration(env, where)).rejects.toMatchObject({
        code: 'CALIBRATION_BROKEN',
        message: expect.stringContaining(file),
      });
    },
  );
});

describe('calibrated rows', () => {
  it('of several files count together, the later before the earlier', async () => {
    const env = await environment();
    const row = (operation: string, permission: string) => ({ operation, permissions: [permission] });
    const write = (name: string, target: string, day: string, ...rows: ReturnType<typeof row>[]) =>
      writeCalibratedRows(env, name, { ...where, target }, rows, new Date(day));
    expect(await readCalibratedRows(env, where)).toEqual([]);
    await write(
      'b.json',
      'stripe',
      '2026-11-01',
      row('charges.list', 'old_read'),
      row('coupons.list', 'coupon_read'),
    );
    await write('a', 'stripe', '2026-11-02', row('charges.list', 'new_read'));
    await write('c', 'sandbox', '2026-11-03', row('charges.list', 'sandbox_read'));
    expect(await readCalibratedRows(env, where)).toEqual([
      row('charges.list', 'new_read'),
      row('coupons.list', 'coupon_read'),
    ]);
    const folder = join(env.XDG_CONFIG_HOME, 'keyaudit/calibration/rows');
    expect((await readdir(folder)).sort()).toEqual(['a.json', 'b.json', 'c.json']);
    expect(JSON.parse(await readFile(join(folder, 'a.json'), 'utf8'))).toMatchObject({
      kind: 'rows',
      ...where,
    });
  });
});
