/** Where the files of a report lie, as a reader in CI counts them. */
export interface SourceRoots {
  /** Where the working folder lies below the root of the source, such as `services/pay/`; empty at the root. */
  readonly sourcePrefix: string;
  /** The root of the source, where the environment names it. */
  readonly sourceRoot?: string;
  /** The folder of the profiles that ship, which may lie outside the source. */
  readonly shippedFolder?: string;
}

/**
 * A file from the root of the source. A profile that ships stands where one's own of its name
 * would; what lies elsewhere stays absolute.
 */
export function sourcePath(file: string, { sourcePrefix, sourceRoot, shippedFolder }: SourceRoots): string {
  if (!isAbsolute(file)) return `${sourcePrefix}${file}`;
  const below = relativeTo(sourceRoot, file);
  if (below !== undefined && !below.split('/').includes('node_modules')) return below;
  const shipped = relativeTo(shippedFolder, file);
  return shipped === undefined ? file : `${sourcePrefix}profiles/${shipped}`;
}

export function isAbsolute(file: string): boolean {
  return file.startsWith('/') || /^[A-Za-z]:[\\/]/.test(file);
}

function relativeTo(folder: string | undefined, file: string): string | undefined {
  if (folder === undefined || folder === '') return undefined;
  const root = `${folder.replaceAll('\\', '/').replace(/\/+$/, '')}/`;
  const path = file.replaceAll('\\', '/');
  return path.startsWith(root) ? path.slice(root.length) : undefined;
}
