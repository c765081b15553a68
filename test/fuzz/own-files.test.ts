import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { writeCalibration } from '../../src/store/calibration/calibration-file.ts';
import { beginWork } from '../../src/store/notes/journal.ts';
import { sealOf } from '../../src/store/notes/seal.ts';
import { openUserKey } from '../../src/store/notes/user-key.ts';
import { Chance, SEED } from './chance.ts';
import { hostileJson, hostileText } from './hostile-json.ts';
import { type HostilePlace, hostilePlace } from './hostile-run.ts';

// What keyaudit keeps, in any state: broken off, changed by hand, or planted. Each is read, or refused in a sentence.

const ROUNDS = Number(process.env.KEYAUDIT_FUZZ_FILES ?? 25);
const catalog = new Catalog(catalogData);
const where = { target: 'sandbox', apiVersion: catalog.apiVersion };

/** Each file, from the base folder, with the commands that read it. */
const READERS: Readonly<Record<string, readonly (readonly string[])[]>> = {
  'work/.keyaudit/journal.json': [
    ['keys', 'list'],
    ['keys', 'clean-up', '--take-over'],
    ['keys', 'clean-up'],
  ],
  'work/.keyaudit/keys.json': [
    ['keys', 'list'],
    ['revoke', 'mine', '--no-wait'],
    ['keys', 'clean-up'],
  ],
  'work/.keyaudit/keys.env': [['revoke', 'mine', '--timeout', '1s']],
  'work/keyaudit.lock.yaml': [
    ['diff', 'keyaudit.lock.yaml'],
    ['verify', 'mine', '--frozen', '--depth', 'checks'],
  ],
  'home/.config/keyaudit/own.key': [
    ['keys', 'list'],
    ['keys', 'clean-up'],
  ],
};

/** A working folder in which a key was made and locked, and work is unfinished. */
async function inUse(place: HostilePlace): Promise<void> {
  const { cwd, env } = place;
  await writeFile(
    join(cwd, 'profiles/mine.yaml'),
    'name: mine\nenv: STRIPE_MINE_KEY\npermissions:\n  coupons: read\n',
  );
  expect(await place.run(['provision', 'mine'])).toEqual([]);
  expect(await place.run(['keys', 'list'])).toEqual([]);
  // It writes the lock file, which no other command here may.
  await place.run(['lock', 'mine', '--rate', '100000']);
  const entry = { id: 'left', command: 'rotate', target: 'sandbox', mode: 'test', profile: 'mine' } as const;
  const step = { step: 'retiring', retire: 'mk_1left', apiBase: env.KEYAUDIT_API_BASE } as const;
  await (await beginWork(place, { ...entry, ...step }, new Date())).leave();
  const kept = { bareHolds: ['charge_read'], entries: new Map() };
  await writeCalibration(env, where, kept, new Date(0));
}

it(`are read or refused, in ${ROUNDS} states`, async () => {
  const chance = new Chance(SEED);
  const sandbox = await startSandbox({
    catalog,
    isPrivate: true,
    behaviour: { expiryDelayMs: 0, narrowingDelayMs: 0 },
  });
  const place = await hostilePlace({
    STRIPE_SECRET_KEY: sandbox.shownSecretKey,
    KEYAUDIT_API_BASE: sandbox.url,
  });
  await inUse(place);
  const base = dirname(place.cwd);
  const key = await openUserKey(place.env);
  const calibration = `home/.config/keyaudit/calibration/sandbox-${catalog.apiVersion}.json`;
  const readers = {
    ...READERS,
    [calibration]: [
      ['plan', 'mine'],
      ['verify', 'mine', '--depth', 'checks'],
    ],
  };
  await cp(base, `${base}.whole`, { recursive: true });
  const wrong: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const file = chance.of(Object.keys(readers));
      await rm(base, { recursive: true });
      await cp(`${base}.whole`, base, { recursive: true });
      const text = await readFile(join(base, file), 'utf8');
      const hostile =
        file.endsWith('.json') && chance.is(0.7)
          ? JSON.stringify(resealed(hostileJson(JSON.parse(text), place.unnamed.url, chance), key, chance))
          : hostileText(text, chance);
      await writeFile(join(base, file), hostile);
      for (const args of readers[file] ?? [])
        for (const problem of await place.run(args))
          wrong.push(`${file} (round ${round}): ${problem} ${hostile.slice(0, 300)}`);
    }
  } finally {
    await rm(`${base}.whole`, { recursive: true });
    await sandbox.close();
  }
  expect(wrong).toEqual([]);
  expect(place.unnamed.connections()).toBe(0);
});

/** Notes that were changed and sealed again: what this user's keyaudit itself could never have written. */
function resealed(content: unknown, key: Buffer, chance: Chance): unknown {
  if (typeof content !== 'object' || content === null || chance.is(0.3)) return content;
  const seal = (kind: 'journal' | 'key-record') => (note: unknown) => {
    if (typeof note !== 'object' || note === null) return note;
    const { seal: _seal, ...bare } = note as { seal?: unknown };
    return { ...bare, seal: sealOf(key, kind, bare) };
  };
  const { entries, keys } = content as { entries?: unknown; keys?: unknown };
  if (Array.isArray(entries)) return { ...content, entries: entries.map(seal('journal')) };
  if (Array.isArray(keys)) return { ...content, keys: keys.map(seal('key-record')) };
  return content;
}
