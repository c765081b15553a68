import type { OperationName } from '../../core/catalog/catalog.ts';
import { OLDEST_VERSION } from '../../core/catalog/older-versions.ts';
import type { VersionView } from '../../gate/version-view.ts';
import type { AlsoTaken } from '../read-parameters.ts';

/** What a call of this version may carry that the catalog does not declare. */
export function alsoTaken({ older }: VersionView, operation: OperationName): AlsoTaken | undefined {
  const tokens = older?.taken.get(operation);
  return tokens === undefined ? undefined : (token) => tokens.has(token);
}

/** What an answer to such a version does not have of it, for the header that says so. @param now the catalog's version */
export function versionNotModelled(
  version: string | undefined,
  { older }: VersionView,
  now: string,
): string | undefined {
  if (version === undefined || older === undefined) return undefined;
  const shape = `answers of ${version}: they have the shape of ${now}`;
  return version.slice(0, 10) < OLDEST_VERSION ? `${shape}; requests are read as ${OLDEST_VERSION}` : shape;
}
