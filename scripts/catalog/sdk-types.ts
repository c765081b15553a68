import type { ESTree } from 'rolldown/utils';
import { ALL, declarationOf, loadSdkModule } from './sdk-modules.ts';

/** The names that one file or one `namespace` block of the declarations defines. */
export interface Scope {
  readonly file: string;
  readonly parent: Scope | undefined;
  readonly types: Map<string, TypeDeclaration>;
  readonly namespaces: Map<string, Scope>;
}

export type TypeDeclaration = ESTree.TSInterfaceDeclaration | ESTree.TSTypeAliasDeclaration | ESTree.Class;

/** `Stripe.Charge` is `Stripe` and `Charge`. */
export function nameParts(name: ESTree.TSTypeName): string[] {
  if (name.type === 'Identifier') return [name.name];
  if (name.type === 'TSQualifiedName') return [...nameParts(name.left), name.right.name];
  throw new Error('a type named by this');
}

/** Finds a type as TypeScript does: outwards through the enclosing namespaces, then through the file's imports. */
export function resolveType(
  scope: Scope,
  parts: readonly string[],
): { readonly declaration: TypeDeclaration; readonly scope: Scope } {
  for (let home: Scope | undefined = scope; home; home = home.parent) {
    const found = member(home, parts);
    if (found) return found;
  }
  const [first = '', ...rest] = parts;
  const origin = loadSdkModule(scope.file).imports.get(first);
  if (origin) return resolveType(scopeOf(origin.file), origin.name === ALL ? rest : [origin.name, ...rest]);
  const moved = loadSdkModule(scope.file).reexports.get(first);
  if (moved) return resolveType(scopeOf(moved.file), [moved.name, ...rest]);
  throw new Error(`${scope.file}: no type ${parts.join('.')}`);
}

function member(
  scope: Scope,
  parts: readonly string[],
): { declaration: TypeDeclaration; scope: Scope } | undefined {
  const last = parts.at(-1) ?? '';
  let home: Scope | undefined = scope;
  for (const part of parts.slice(0, -1)) home = home?.namespaces.get(part);
  const declaration = home?.types.get(last);
  return home && declaration ? { declaration, scope: home } : undefined;
}

const scopes = new Map<string, Scope>();

/** The types that a file declares, parsed once. */
export function scopeOf(file: string): Scope {
  const known = scopes.get(file);
  if (known) return known;
  const scope = emptyScope(file, undefined);
  scopes.set(file, scope);
  for (const statement of loadSdkModule(file).body) declare(scope, declarationOf(statement));
  return scope;
}

/** Files that declare into one module, as the SDK's did before its 22nd major, have one scope together. */
export function mergedScope(files: readonly string[], home: string): Scope {
  const scope = emptyScope(home, undefined);
  for (const file of files) {
    for (const statement of loadSdkModule(file).body) declare(scope, declarationOf(statement));
  }
  return scope;
}

function emptyScope(file: string, parent: Scope | undefined): Scope {
  return { file, parent, types: new Map(), namespaces: new Map() };
}

/** Namespace blocks of one name are one namespace, as in TypeScript. */
function declare(scope: Scope, node: ReturnType<typeof declarationOf>): void {
  if (node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration') {
    scope.types.set(node.id.name, node);
  } else if (node.type === 'ClassDeclaration') {
    if (node.id) scope.types.set(node.id.name, node);
  } else if (node.type === 'TSModuleDeclaration' && node.id.type === 'Literal') {
    // `declare module 'stripe'`
    const body = node.body?.type === 'TSModuleBlock' ? node.body.body : [];
    for (const statement of body) declare(scope, declarationOf(statement));
  } else if (node.type === 'TSModuleDeclaration' && node.id.type === 'Identifier') {
    const inner = scope.namespaces.get(node.id.name) ?? emptyScope(scope.file, scope);
    scope.namespaces.set(node.id.name, inner);
    if (node.body?.type === 'TSModuleBlock') {
      for (const statement of node.body.body) declare(inner, declarationOf(statement));
    }
  }
}

/** What a class of a file declares under a method's name; several where it is overloaded. */
export function methodsOf(scope: Scope, className: string, method: string): ESTree.Function[] {
  const node = scope.types.get(className);
  if (node?.type !== 'ClassDeclaration')
    throw new Error(`${scope.file} does not declare the class ${className}`);
  return node.body.body.flatMap((member) =>
    member.type === 'MethodDefinition' && member.key.type === 'Identifier' && member.key.name === method
      ? [member.value]
      : [],
  );
}
