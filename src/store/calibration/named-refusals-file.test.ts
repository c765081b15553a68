import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readCalibration, writeCalibration } from './calibration-file.ts';
import { forgetNamedRefusals, keepNamedRefusals, readNamedRefusals } from './named-refusals-file.ts';

const where = { target: 'stripe', apiVersion: '2026-10-28.endive' };
const fresh = [{ operation: 'charges.list', name: 'charge_read', apiVersion: where.apiVersion }];

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keyaudit-refusals-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('what refusals named', () => {
  it('is kept in the user folder, for its owner alone, and forgotten on demand', async () => {
    const env = { XDG_CONFIG_HOME: await folder() };
    expect(await readNamedRefusals(env, where)).toEqual([]);
    await Promise.all([1, 2, 3].map(() => keepNamedRefusals(env, where, fresh, '2026-11-25')));
    expect(await readNamedRefusals(env, where)).toEqual([{ ...fresh[0], day: '2026-11-25', count: 3 }]);
    const file = join(env.XDG_CONFIG_HOME, 'keyaudit/calibration/refusals/stripe.json');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readNamedRefusals(env, { target: 'sandbox' })).toEqual([]);
    await forgetNamedRefusals(env, where);
    expect(await readNamedRefusals(env, where)).toEqual([]);
  });

  it.each([
    ['another version', (text: string) => text.replace('"version": 1', '"version": 2')],
    ['half a file', (text: string) => text.slice(0, 40)],
    ['a name with a control sequence', (text: string) => text.replace('charge_read', 'x\\u001b[2J_read')],
    ['a count of nothing', (text: string) => text.replace('"count": 1', '"count": -1')],
  ])('is refused as broken: %s', async (_what, spoil) => {
    const env = { XDG_CONFIG_HOME: await folder() };
    await keepNamedRefusals(env, where, fresh, '2026-11-25');
    const file = join(env.XDG_CONFIG_HOME, 'keyaudit/calibration/refusals/stripe.json');
    await writeFile(file, spoil(await readFile(file, 'utf8')));
    await expect(readNamedRefusals(env, where)).rejects.toMatchObject({ code: 'CALIBRATION_BROKEN' });
  });
});

describe('a calibration that is not of this user', () => {
  it('is refused where others may write it', async () => {
    const env = { XDG_CONFIG_HOME: await folder() };
    const file = await writeCalibration(env, where, { bareHolds: [], entries: new Map() }, new Date(0));
    await chmod(file, 0o666);
    await expect(readCalibration(env, where)).rejects.toMatchObject({ code: 'CALIBRATION_FOREIGN' });
  });

  it('is refused where it came with a checkout', async () => {
    const checkout = await folder();
    await execa('git', ['init', '-q'], { cwd: checkout });
    const env = { XDG_CONFIG_HOME: join(checkout, 'config') };
    await mkdir(env.XDG_CONFIG_HOME);
    await writeCalibration(env, where, { bareHolds: ['charge_write'], entries: new Map() }, new Date(0));
    await keepNamedRefusals(env, where, fresh, '2026-11-25');
    expect((await readCalibration(env, where)).bareHolds).toEqual(['charge_write']);
    await execa('git', ['add', '-A', '-f'], { cwd: checkout });
    for (const read of [readCalibration, readNamedRefusals])
      await expect(read(env, where)).rejects.toMatchObject({ code: 'CALIBRATION_FOREIGN' });
  });
});
