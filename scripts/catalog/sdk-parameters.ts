import type { ESTree } from 'rolldown/utils';
import type { Parameter } from '../../src/core/catalog/catalog.ts';
import { methodsOf, nameParts, resolveType, type Scope, scopeOf } from './sdk-types.ts';

export type Member = { readonly signature: ESTree.TSPropertySignature; readonly scope: Scope };
type Shape =
  | { readonly kind: Exclude<Parameter['type'], 'enum'> }
  | { readonly kind: 'literal'; readonly value: string | number | boolean };

/**
 * The top-level parameters of one method, from the type of the argument that its declaration calls `params`.
 * Undefined when it declares none. @throws on a type that this reader does not know
 */
export function parametersOfMethod(file: string, className: string, method: string): Parameter[] | undefined {
  const scope = scopeOf(file);
  for (const declared of methodsOf(scope, className, method)) {
    for (const argument of declared.params) {
      if (argument.type !== 'Identifier' || argument.name !== 'params' || !argument.typeAnnotation) continue;
      return [...membersOf(argument.typeAnnotation.typeAnnotation, scope).entries()].map(toParameter);
    }
  }
  return undefined;
}

function toParameter([name, { signature, scope }]: [string, Member]): Parameter {
  if (!signature.typeAnnotation) throw new Error(`${scope.file}: parameter ${name} has no type`);
  const shapes = shapesOf(signature.typeAnnotation.typeAnnotation, scope);
  return { name, required: !signature.optional, ...typeOf(shapes, `${scope.file}: parameter ${name}`) };
}

/**
 * One type for a union: the most structured member wins, so that a value that fits none of them is easy to make.
 * An `enum` has literals only, apart from the SDK's marker for "there may be more values".
 */
const MOST_STRUCTURED_FIRST = ['file', 'object', 'array', 'string', 'number', 'boolean'] as const;

function typeOf(shapes: readonly Shape[], where: string): Pick<Parameter, 'type' | 'values'> {
  for (const kind of MOST_STRUCTURED_FIRST)
    if (shapes.some((shape) => shape.kind === kind)) return { type: kind };
  const literals = shapes.flatMap((shape) => (shape.kind === 'literal' ? [shape.value] : []));
  // An empty string unsets a value; it counts as one only where nothing else may be sent.
  const values = literals.some((value) => value !== '') ? literals.filter((value) => value !== '') : literals;
  if (values.length === 0) throw new Error(`${where} has no type that a request can carry`);
  if (values.every((value) => typeof value === 'boolean')) return { type: 'boolean' };
  return { type: 'enum', values: [...new Set(values.map(String))].sort() };
}

/** The members of an interface with those it extends, or of an intersection or alias of such. */
export function membersOf(type: ESTree.TSType, scope: Scope): Map<string, Member> {
  if (type.type === 'TSIntersectionType')
    return new Map(type.types.flatMap((part) => [...membersOf(part, scope)]));
  if (type.type === 'TSTypeLiteral') return signaturesOf(type.members, scope);
  if (type.type !== 'TSTypeReference') throw new Error(`${scope.file}: params of the kind ${type.type}`);
  // What is left out by `Omit` is declared again beside it.
  const [of] = type.typeArguments?.params ?? [];
  if (nameParts(type.typeName).join('.') === 'Omit' && of !== undefined) return membersOf(of, scope);
  const found = resolveType(scope, nameParts(type.typeName));
  if (found.declaration.type === 'TSTypeAliasDeclaration') {
    return membersOf(found.declaration.typeAnnotation, found.scope);
  }
  if (found.declaration.type !== 'TSInterfaceDeclaration')
    throw new Error(`${scope.file}: params that are a class`);
  return interfaceMembers(found.declaration, found.scope);
}

function interfaceMembers(declaration: ESTree.TSInterfaceDeclaration, scope: Scope): Map<string, Member> {
  const members = signaturesOf(declaration.body.body, scope);
  for (const { expression, typeArguments } of declaration.extends) {
    if (expression.type !== 'Identifier')
      throw new Error(`${scope.file}: ${declaration.id.name} extends an expression`);
    const [of] = typeArguments?.params ?? [];
    if (expression.name === 'Omit' && of !== undefined) {
      for (const [name, member] of membersOf(of, scope)) if (!members.has(name)) members.set(name, member);
      continue;
    }
    const base = resolveType(scope, [expression.name]);
    if (base.declaration.type !== 'TSInterfaceDeclaration')
      throw new Error(`${expression.name} is no interface`);
    for (const [name, member] of interfaceMembers(base.declaration, base.scope)) {
      if (!members.has(name)) members.set(name, member);
    }
  }
  return members;
}

function signaturesOf(signatures: readonly ESTree.TSSignature[], scope: Scope): Map<string, Member> {
  const members = new Map<string, Member>();
  for (const signature of signatures) {
    // What the SDK's own objects can do, such as an event that fetches what it is about.
    if (signature.type === 'TSMethodSignature') continue;
    if (signature.type !== 'TSPropertySignature')
      throw new Error(`${scope.file}: params with a ${signature.type}`);
    const { key } = signature;
    if (key.type === 'Identifier') members.set(key.name, { signature, scope });
    else if (key.type === 'Literal') members.set(String(key.value), { signature, scope });
    else throw new Error(`${scope.file}: a parameter with a computed name`);
  }
  return members;
}

/** The members of a union, aliases resolved; `null` only unsets a value and is left out. */
function shapesOf(type: ESTree.TSType, scope: Scope): Shape[] {
  switch (type.type) {
    case 'TSStringKeyword':
      return [{ kind: 'string' }];
    case 'TSNumberKeyword':
      return [{ kind: 'number' }];
    case 'TSBooleanKeyword':
      return [{ kind: 'boolean' }];
    case 'TSArrayType':
      return [{ kind: 'array' }];
    case 'TSTypeLiteral':
      return [{ kind: 'object' }];
    case 'TSNullKeyword':
    case 'TSUndefinedKeyword':
      return [];
    case 'TSUnionType':
      return type.types.flatMap((part) => shapesOf(part, scope));
    case 'TSLiteralType':
      return literalShape(type, scope);
    case 'TSTypeReference':
      return referenceShapes(type, scope);
    default:
      throw new Error(`${scope.file}: a parameter of the kind ${type.type}`);
  }
}

function literalShape({ literal }: ESTree.TSLiteralType, scope: Scope): Shape[] {
  if (literal.type !== 'Literal') throw new Error(`${scope.file}: a literal of the kind ${literal.type}`);
  const { value } = literal;
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
    return [{ kind: 'literal', value }];
  }
  throw new Error(`${scope.file}: a literal that is no string, number or boolean`);
}

function referenceShapes(type: ESTree.TSTypeReference, scope: Scope): Shape[] {
  const parts = nameParts(type.typeName);
  switch (parts.join('.')) {
    case 'Array':
      return [{ kind: 'array' }];
    case 'Record':
      return [{ kind: 'object' }];
    case 'FileData':
      return [{ kind: 'file' }];
    case 'Decimal': // a class of the SDK's own, sent as text
      return [{ kind: 'string' }];
    case 'OtherString': // the marker of an enum that may have more values
      return [];
    case 'Emptyable':
      return (type.typeArguments?.params ?? []).flatMap((part) => shapesOf(part, scope));
  }
  const { declaration, scope: home } = resolveType(scope, parts);
  if (declaration.type === 'TSTypeAliasDeclaration') return shapesOf(declaration.typeAnnotation, home);
  return [{ kind: 'object' }];
}
