import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type ESTree, parseSync } from 'rolldown/utils';

/** Where an imported or re-exported name comes from. */
export interface Origin {
  readonly file: string;
  /** {@link ALL} for `import * as`. */
  readonly name: string;
}

/** All that a file exports. */
export const ALL = '*';

/** One parsed file of the SDK. */
export interface SdkModule {
  readonly file: string;
  readonly body: ESTree.Program['body'];
  /** Local name → file and name it was imported from; relative imports only. */
  readonly imports: ReadonlyMap<string, Origin>;
  /** Exported name → file and name it is re-exported from. */
  readonly reexports: ReadonlyMap<string, Origin>;
}

const modules = new Map<string, SdkModule>();

/** Parses a `.js` or `.d.ts` file of the SDK, once. @throws when the file is missing or does not parse */
export function loadSdkModule(file: string): SdkModule {
  const known = modules.get(file);
  if (known) return known;
  const { program, errors } = parseSync(file, readFileSync(file, 'utf8'));
  if (errors.length > 0) throw new Error(`${file} does not parse: ${errors[0]?.message}`);
  const loaded = { file, body: program.body, ...linksOf(file, program.body) };
  modules.set(file, loaded);
  return loaded;
}

/** A declaration with `export` in front or without it. */
export function declarationOf(
  statement: ESTree.Program['body'][number],
): typeof statement | ESTree.Declaration {
  const isExport = statement.type === 'ExportNamedDeclaration' && statement.declaration !== null;
  return isExport ? (statement.declaration ?? statement) : statement;
}

function linksOf(file: string, body: ESTree.Program['body']): Pick<SdkModule, 'imports' | 'reexports'> {
  const imports = new Map<string, Origin>();
  const reexports = new Map<string, Origin>();
  for (const statement of body) {
    if (statement.type === 'ImportDeclaration') {
      const from = resolveRelative(file, statement.source.value);
      for (const specifier of from === undefined ? [] : statement.specifiers) {
        if (specifier.type === 'ImportDefaultSpecifier') continue;
        const name = specifier.type === 'ImportSpecifier' ? moduleName(specifier.imported) : ALL;
        imports.set(specifier.local.name, { file: from ?? '', name });
      }
    } else if (statement.type === 'ExportNamedDeclaration' && statement.source !== null) {
      const from = resolveRelative(file, statement.source.value);
      for (const specifier of from === undefined ? [] : statement.specifiers) {
        reexports.set(moduleName(specifier.exported), {
          file: from ?? '',
          name: moduleName(specifier.local),
        });
      }
    }
  }
  return { imports, reexports };
}

/** The SDK writes `./x.js` in declarations too, where the declarations of it are in `./x.d.ts`. */
function resolveRelative(importer: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const js = join(dirname(importer), specifier);
  const target = importer.endsWith('.d.ts') ? js.replace(/\.js$/, '.d.ts') : js;
  return existsSync(target) ? target : undefined;
}

function moduleName(name: ESTree.ModuleExportName): string {
  return name.type === 'Literal' ? name.value : name.name;
}
