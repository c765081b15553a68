import { readdirSync, readFileSync } from 'node:fs';
import { Catalog } from '../../src/core/catalog/catalog.ts';
import { catalogData } from '../../src/core/catalog/data/catalog.ts';
import { parametersOf } from '../../src/core/catalog/parameters.ts';
import { type Grant, resolveGrant } from '../../src/core/grant/grant.ts';
import { buildProbe } from '../../src/core/probe/build-probe.ts';
import type { Probe } from '../../src/core/probe/probe.ts';
import type { Profile, ProfileFile } from '../../src/core/profile/profile.ts';
import { readProfile } from '../../src/core/profile/read-profile.ts';
import { resolveProfile } from '../../src/core/profile/resolve-profile.ts';

/** The catalog that ships. */
export const catalog = new Catalog(catalogData);

/** The day that no acceptance of the tests has run out on. */
export const TODAY = '2026-11-23';

/** A profile's own file, read. @throws Error with all of its problems */
export function profileFileOf(text: string, file = 'p.yaml', from = catalog): ProfileFile {
  const reading = readProfile(text, file, from);
  if (!reading.ok) throw new Error(JSON.stringify(reading.problems));
  return reading.profile;
}

/** The same as a profile that extends none. */
export function profileOf(text: string, file?: string, from?: Catalog): Profile {
  return resolveProfile(profileFileOf(text, file, from), () => undefined);
}

export function grantOf(profile: Profile | string, from = catalog): Grant {
  return resolveGrant(typeof profile === 'string' ? profileOf(profile) : profile, from, TODAY);
}

/** The profiles that ship, by their files' names. */
export function shippedProfiles(): readonly Profile[] {
  const folder = new URL('../../profiles/', import.meta.url);
  return readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => profileOf(readFileSync(new URL(file, folder), 'utf8'), file));
}

/** The probe of an operation, as an uncalibrated run builds it. */
export function probeOf(name: string, calibrated = false): Probe {
  const operation = catalog.operation(name);
  if (operation === undefined) throw new Error(`no operation ${name}`);
  return buildProbe(operation, { parameters: parametersOf(name), nonce: 'abc123', calibrated });
}
