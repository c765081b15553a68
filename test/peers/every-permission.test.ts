import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { PermissionName } from '../../src/core/catalog/catalog.ts';
import { riskOf } from '../../src/core/catalog/risk.ts';
import type { Depth } from '../../src/core/probe/depth.ts';
import type { Unseen } from '../../src/core/verdict/unseen.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { catalog, isOneLevelWith } from '../support/every-permission.ts';
import { grantOf, shippedProfiles } from '../support/profiles.ts';
import { runProgram, temporaryFolder } from '../support/run-cli.ts';
import { keyMaker } from '../support/sandbox-server.ts';

/**
 * Every permission more and every one less, on each side of each shipped profile's key, by each witness, through the
 * program: a key for each change at one sandbox, a copy of the profile for each key, and one run that verifies them all.
 */

const FOLDER = fileURLToPath(new URL('../../profiles/', import.meta.url));
const ALL = catalog.permissions.map(({ name }) => name);

/** A key that differs from its profile by one permission; by none where `permission` is undefined. */
interface Change {
  readonly what: string;
  readonly permission?: PermissionName;
  readonly connect: boolean;
  readonly own: readonly PermissionName[];
  readonly other: readonly PermissionName[];
}

interface Result {
  readonly profile: string;
  readonly stopped?: unknown;
  readonly witnesses?: { readonly record: { readonly read: boolean } };
  readonly findings: readonly { readonly kind: string; readonly connect?: boolean }[];
  readonly unseen: readonly Unseen[];
}

/** Verifies all these keys in one run, and says in words which change was passed over. */
async function passedOver(
  profile: string,
  changes: readonly Change[],
  witness: 'record' | 'probes',
  depth: Depth = 'permissions',
) {
  const sandbox = await startSandbox({ catalog });
  onTestFinished(() => sandbox.close());
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, 'profiles'));
  const text = await readFile(join(FOLDER, `${profile}.yaml`), 'utf8');
  const { makeKey } = keyMaker(sandbox.url, sandbox.secretKey.reveal());
  const byRecord = witness === 'record';
  // Without a secret key nobody can read the record.
  const env: Record<string, string> = byRecord ? { STRIPE_SECRET_KEY: sandbox.secretKey.reveal() } : {};
  for (const [index, { own, other }] of changes.entries()) {
    const copy = text
      .replace(/^name: .*$/m, `name: copy-${index}`)
      .replace(/^env: .*$/m, `env: KEY_${index}`);
    await writeFile(join(cwd, 'profiles', `copy-${index}.yaml`), copy);
    env[`KEY_${index}`] = (await makeKey(own, other)).token;
  }
  const names = changes.map((_change, index) => `copy-${index}`);
  const { exitCode, stdout, stderr } = await runProgram(
    [
      'verify',
      ...names,
      '--api-base',
      sandbox.url,
      '--format',
      'json',
      '--depth',
      byRecord ? 'record' : depth,
    ],
    { cwd, env },
  );
  expect(stdout, stderr).not.toBe('');
  const { results } = JSON.parse(stdout) as { results: readonly Result[] };
  expect(results.map((result) => result.profile)).toEqual(names);
  expect(results.filter(({ witnesses }) => witnesses?.record.read !== byRecord)).toEqual([]);
  expect(exitCode).toBe(1);
  return changes.flatMap((change, index) => {
    const result = results[index];
    const wrong =
      result === undefined || result.stopped !== undefined ? 'not determined' : wrongWith(change, result);
    return wrong === undefined ? [] : [`${change.what}: ${wrong}`];
  });
}

function wrongWith({ permission, connect }: Change, { findings, unseen }: Result): string | undefined {
  const isFound = findings.some(
    (finding) =>
      (finding.kind === 'over-grant' || finding.kind === 'under-grant') &&
      (permission === undefined || (finding.connect ?? false) === connect),
  );
  if (permission === undefined) return isFound ? 'found wrong, and is as its profile says' : undefined;
  if (isFound) return undefined;
  const named = unseen.find((one) => one.permission === permission && one.connect === connect);
  if (named === undefined) return 'neither found nor named';
  return named.tier === riskOf(permission).tier && named.reason.length > 0
    ? undefined
    : 'named without its tier';
}

describe.each(shippedProfiles().map((profile) => ({ name: profile.name, grant: grantOf(profile) })))(
  'the key of $name',
  ({ name, grant }) => {
    const held = grant.permissions;
    const side = grant.connectPermissions;
    const asItIs: Change = { what: 'as it is', connect: false, own: held, other: side };
    const own: readonly Change[] = [
      ...ALL.filter((permission) => !held.includes(permission) && !isOneLevelWith(permission, held)).map(
        (permission) => ({
          what: `${permission} more`,
          permission,
          connect: false,
          own: [...held, permission],
          other: side,
        }),
      ),
      ...held.map((permission) => ({
        what: `${permission} less`,
        permission,
        connect: false,
        own: held.filter((one) => one !== permission),
        other: side,
      })),
    ];
    const connect: readonly Change[] = ALL.filter((permission) => !side.includes(permission)).map(
      (permission) => ({
        what: `${permission} more on the Connect side`,
        permission,
        connect: true,
        own: held,
        other: [...side, permission],
      }),
    );

    it("is told by Stripe's record from every other", async () => {
      expect(own.length + connect.length).toBeGreaterThan(360);
      expect(await passedOver(name, [asItIs, ...own, ...connect], 'record')).toEqual([]);
    });

    it('is told by probes from every other, or the permission is named as unseen', async () => {
      expect(await passedOver(name, [asItIs, ...own], 'probes')).toEqual([]);
    });

    // One call with an account that cannot exist tells of the whole Connect side, and is made at every depth.
    it('is told by one probe from every one that may do anything on the Connect side', async () => {
      expect(await passedOver(name, [asItIs, ...connect], 'probes', 'checks')).toEqual([]);
    });
  },
);
