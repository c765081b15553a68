import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Catalog, type PermissionName } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { riskOf } from '../../src/core/catalog/risk.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { runCli } from './run-cli.ts';
import { keyMaker } from './sandbox-server.ts';

export const catalog = new Catalog(catalogData);

/** One permission more or less on one side of a key, and who is asked about it. */
export interface PermissionChange {
  readonly profile: string;
  readonly permission: PermissionName;
  readonly side: 'own' | 'connect';
  readonly change: 'added' | 'dropped';
  readonly witness: 'record' | 'probes';
}

export interface ChangedKey {
  readonly cwd: string;
  readonly sandbox: Sandbox;
  readonly held: readonly PermissionName[];
  readonly connect?: readonly PermissionName[];
  /** Further options of `verify`. */
  readonly options?: readonly string[];
}

interface Found {
  readonly findings: readonly { kind: string; permission: string | null; connect: boolean }[];
  readonly unseen: readonly { permission: string; connect: boolean; tier: string; reason: string }[];
}

/**
 * Makes the changed key at the sandbox, verifies it through the program, and says in words what is wrong with the
 * answer; undefined where the change was found, or named as unseen with its tier.
 */
export async function passedOver(change: PermissionChange, key: ChangedKey): Promise<string | undefined> {
  const { profile, permission, side, witness } = change;
  const { cwd, sandbox, options = [] } = key;
  const held = side === 'own' ? changed(key.held, change) : key.held;
  const connect = side === 'connect' ? changed(key.connect ?? [], change) : (key.connect ?? []);
  const { token } = await keyMaker(sandbox.url, sandbox.secretKey.reveal()).makeKey(held, connect);
  const asked = witness === 'record' ? ['--depth', 'record'] : ['--witness', 'probes'];
  const { exitCode, stdout, stderr } = await runCli(
    [
      'verify',
      profile,
      '--key-env',
      'CHANGED_KEY',
      '--api-base',
      sandbox.url,
      '--format',
      'json',
      ...asked,
      ...options,
    ],
    { cwd, env: { CHANGED_KEY: token, STRIPE_SECRET_KEY: sandbox.secretKey.reveal() } },
  );
  const what = `${profile}: ${permission} ${change.change} on the ${side} side, asked ${witness}`;
  if (stdout === '') return `${what}: ${stderr}`;
  const [result] = (JSON.parse(stdout) as { results: Found[] }).results;
  if (result === undefined) return `${what}: no result`;
  const isFound =
    exitCode === 1 && result.findings.some(({ kind }) => kind === 'over-grant' || kind === 'under-grant');
  const unseen = result.unseen.find(
    (one) => one.permission === permission && one.connect === (side === 'connect'),
  );
  if (isFound || (witness === 'probes' && unseen?.tier === riskOf(permission).tier)) return undefined;
  return `${what}: exit ${exitCode}, not named`;
}

function changed(
  names: readonly PermissionName[],
  { permission, change }: PermissionChange,
): readonly PermissionName[] {
  return change === 'added' ? [...names, permission] : names.filter((name) => name !== permission);
}

/** A read is one level with the write of its name that a key holds anyway: Stripe cannot tell the two keys apart. */
export function isOneLevelWith(permission: PermissionName, held: readonly PermissionName[]): boolean {
  const write = permission.replace(/_read$/, '_write');
  return held.includes(write) && catalog.closure([write]).has(permission);
}

/** A profile that asks for something on both sides. */
export async function writePlatformProfile(cwd: string): Promise<void> {
  await mkdir(join(cwd, 'profiles'), { recursive: true });
  const text = `name: platform
env: STRIPE_PLATFORM_KEY
permissions:
  customers: read
connect_permissions:
  payouts: { level: write, why: Pays connected accounts out }
  products: read
`;
  await writeFile(join(cwd, 'profiles', 'platform.yaml'), text);
}
