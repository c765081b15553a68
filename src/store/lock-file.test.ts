import { describe, expect, it } from 'vitest';
import { KeyauditError } from '../core/error.ts';
import { LOCK_SCHEMA, type Lock } from '../core/lock/lock.ts';
import { parseLock, renderLock, requireLocked } from './lock-file.ts';

const lock: Lock = {
  schema: LOCK_SCHEMA,
  profiles: {
    analytics: {
      digest: 'sha256:00',
      target: 'sandbox',
      mode: 'test',
      fingerprint: 'sha256:11',
      catalog: 'stripe-node 23.1.0',
      apiVersion: '2026-10-28.endive',
      depth: 'permissions',
      permissions: ['charge_read'],
      operations: { 'charges.list': 'allowed', 'refunds.create': 'forbidden' },
    },
  },
};
const text = renderLock(lock);

/** `code file:line message` of the first problem. */
function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (!(error instanceof KeyauditError)) throw error;
    const [problem] = error.problems;
    return `${error.exitCode} ${error.code} ${problem?.location?.file}:${problem?.location?.line} ${problem?.message}`;
  }
  return 'no refusal';
}

describe('the lock file', () => {
  it('is read as it was written, one name a line', () => {
    expect(parseLock(text, 'l.yaml').lock).toEqual(lock);
    expect(text).toContain('\n      charges.list: allowed\n      refunds.create: forbidden\n');
  });

  const rows: readonly [name: string, text: string, expected: RegExp][] = [
    [
      'merge conflict markers',
      text
        .replace('    depth', '<<<<<<< HEAD\n    depth: checks\n=======\n    depth')
        .concat('>>>>>>> other\n'),
      /^2 LOCK_INVALID l\.yaml:12 A merge conflict is not resolved here: <<<<<<<$/,
    ],
    [
      'another version',
      text.replace('lock/1', 'lock/9'),
      /^2 LOCK_INVALID l\.yaml:3 This is keyaudit\.lock\/9, and this keyaudit reads keyaudit\.lock\/1\.$/,
    ],
    ['no lock file', 'name: analytics\n', /^2 LOCK_INVALID l\.yaml:1 This is no lock file/],
    ['nothing', '', /^2 LOCK_INVALID l\.yaml:1 This is no lock file/],
    [
      'broken YAML',
      text.replace('      - charge_read', '      - [charge_read'),
      /^2 LOCK_INVALID l\.yaml:1\d The YAML is broken/,
    ],
    [
      'a wrong verdict',
      text.replace('forbidden', 'maybe'),
      /^2 LOCK_INVALID l\.yaml:17 "maybe" is not valid for profiles\.analytics\.operations\.refunds\.create\.$/,
    ],
    [
      'an unknown key',
      text.replace('    depth', '    surprise: 1\n    depth'),
      /^2 LOCK_INVALID l\.yaml:12 Unknown key "surprise" in profiles\.analytics\.$/,
    ],
    [
      'a missing key',
      text.replace(/ +mode: .*\n/, ''),
      /^2 LOCK_INVALID l\.yaml:\d+ "profiles\.analytics\.mode" is missing\.$/,
    ],
  ];
  it.each(rows)('refuses %s, with the line', (_name, broken, expected) => {
    expect(refusal(() => parseLock(broken, 'l.yaml'))).toMatch(expected);
  });

  it.each<[string, readonly string[], boolean, RegExp]>([
    ['as locked', ['analytics'], true, /^no refusal$/],
    ['a part of what is locked', [], false, /^no refusal$/],
    [
      'a profile without an entry',
      ['analytics', 'mine'],
      false,
      /^2 LOCK_INCOMPLETE l\.yaml:4 The profile mine has no entry\.$/,
    ],
    [
      'an entry without a profile',
      [],
      true,
      /^2 LOCK_INCOMPLETE l\.yaml:5 There is no profile analytics any more\.$/,
    ],
  ])('held against profiles: %s', (_name, profiles, exactly, expected) => {
    expect(refusal(() => requireLocked(parseLock(text, 'l.yaml'), profiles, { exactly }))).toMatch(expected);
  });
});
