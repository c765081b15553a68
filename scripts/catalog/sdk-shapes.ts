import type { ESTree } from 'rolldown/utils';
import { DECIMAL_NUMBERS } from './decimal-numbers.ts';
import { type Member, membersOf } from './sdk-parameters.ts';
import { methodsOf, nameParts, resolveType, type Scope, scopeOf } from './sdk-types.ts';

/** The types of an operation's parameters and of its answer, encoded as `src/core/catalog/shape.ts` reads them. */
export interface OperationTypes {
  readonly parameters: string;
  readonly answer: string;
}

/** What the SDK declares, each shape and each list of values once. */
export interface Shapes {
  /** By number: the fields of a part or an object, encoded. */
  readonly shapes: readonly string[];
  /** By number: the values of an enum. */
  readonly values: readonly string[];
  /** Kind of object → its shape. */
  readonly kinds: ReadonlyMap<string, number>;
}

/** What an event carries is any object: hundreds of declarations would say no more. */
const ANY_FIELD: ReadonlySet<string> = new Set(['event.data', 'v2.core.event.data', 'v2.core.event.changes']);

/** Reads types at every depth out of the SDK's declarations, and numbers those that are the same alike. */
export class ShapeReader implements Shapes {
  readonly shapes: string[] = [];
  readonly values: string[] = [];
  readonly kinds = new Map<string, number>();
  readonly #numbers = new Map<string, number>();
  readonly #valueNumbers = new Map<string, number>();
  readonly #open = new Set<unknown>();

  /** @throws on a type that this reader does not know */
  read(file: string, className: string, method: string): OperationTypes {
    return this.readIn(scopeOf(file), className, method);
  }

  /** The same of a class in a scope that is at hand. */
  readIn(scope: Scope, className: string, method: string): OperationTypes {
    const parameters = this.parametersIn(scope, className, method);
    let answer = '';
    for (const { returnType } of methodsOf(scope, className, method)) {
      const returned = returnType?.typeAnnotation;
      if (returned?.type === 'TSTypeReference') answer = this.#answer(returned, scope);
    }
    return { parameters, answer };
  }

  /** Its parameters alone. */
  parametersIn(scope: Scope, className: string, method: string): string {
    let parameters = '';
    for (const { params } of methodsOf(scope, className, method)) {
      for (const argument of params) {
        if (argument.type !== 'Identifier' || argument.name !== 'params' || !argument.typeAnnotation)
          continue;
        parameters = this.#shape(membersOf(argument.typeAnnotation.typeAnnotation, scope), '');
      }
    }
    return parameters;
  }

  #answer(type: ESTree.TSTypeReference, scope: Scope): string {
    const [name = ''] = nameParts(type.typeName);
    const [given] = type.typeArguments?.params ?? [];
    if (given === undefined) return '';
    const inner =
      given.type === 'TSTypeReference' && nameParts(given.typeName).at(-1) === 'Response'
        ? (given.typeArguments?.params[0] ?? given)
        : given;
    const text = this.#type(inner, scope, '');
    return /List|Search/.test(name) ? `L${text}` : text;
  }

  #shape(members: ReadonlyMap<string, Member>, within: string): string {
    const fields: string[] = [];
    for (const [name, { signature, scope }] of members) {
      if (
        name === 'lastResponse' ||
        signature.typeAnnotation === undefined ||
        signature.typeAnnotation === null
      )
        continue;
      const path = within === '' ? name : `${within}.${name}`;
      const type = ANY_FIELD.has(path)
        ? 'u'
        : path === 'event.type' // each declaration of an event has one of its own
          ? 's'
          : this.#type(signature.typeAnnotation.typeAnnotation, scope, name);
      if (type !== '') fields.push(`${name}${signature.optional ? '?' : ''}:${type}`);
    }
    return `{${this.#number(fields.join(' '))}`;
  }

  #number(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.shapes.push(text) - 1;
    this.#numbers.set(text, number);
    return number;
  }

  #type(type: ESTree.TSType, scope: Scope, name: string): string {
    const text = this.#rawType(type, scope, name);
    return text.startsWith("'") ? this.#enum([text.slice(1)]) : text;
  }

  /** As {@link #type}, but a literal is still its text after an apostrophe, so that a union can gather them. */
  #rawType(type: ESTree.TSType, scope: Scope, name: string): string {
    switch (type.type) {
      case 'TSStringKeyword':
        return 's';
      case 'TSNumberKeyword':
        return DECIMAL_NUMBERS.has(name) ? 'd' : 'i';
      case 'TSBigIntKeyword':
        return 'I';
      case 'TSBooleanKeyword':
        return 'b';
      case 'TSVoidKeyword':
        return '';
      case 'TSNullKeyword':
      case 'TSUndefinedKeyword':
        return '~';
      case 'TSUnknownKeyword':
      case 'TSAnyKeyword':
      case 'TSObjectKeyword':
      case 'TSMappedType':
        return 'u';
      case 'TSArrayType':
        return `[${this.#type(type.elementType, scope, name)}`;
      case 'TSTypeLiteral':
        return type.members.some(({ type: kind }) => kind === 'TSIndexSignature')
          ? 'm'
          : this.#shape(membersOf(type, scope), '');
      case 'TSUnionType':
        return this.#union(type.types.map((part) => this.#rawType(part, scope, name)));
      case 'TSLiteralType':
        return this.#literal(type);
      case 'TSTypeReference':
        return this.#reference(type, scope, name);
      case 'TSIntersectionType':
        return this.#shape(membersOf(type, scope), '');
      default:
        throw new Error(`${scope.file}: ${name} has a type of the kind ${type.type}`);
    }
  }

  #literal({ literal }: ESTree.TSLiteralType): string {
    const value = literal.type === 'Literal' ? literal.value : undefined;
    if (typeof value === 'string') return value === '' ? '~' : `'${value}`;
    return value === true ? 'y' : typeof value === 'boolean' ? 'b' : 'i';
  }

  /** `null` and the empty text that unsets make it nullable; texts are one enum. */
  #union(parts: readonly string[]): string {
    const flat = parts.flatMap((part) => {
      const bare = part.endsWith('~') ? [part.slice(0, -1), '~'] : [part];
      return bare.flatMap((one) => (one.startsWith('(') ? one.slice(1, -1).split('|') : [one]));
    });
    const nullable = flat.includes('~') ? '~' : '';
    const literals = flat.filter((part) => part.startsWith("'")).map((part) => part.slice(1));
    const enums = flat.filter((part) => /^e\d+$/.test(part));
    const listed = [
      ...literals,
      ...enums.flatMap((one) => (this.values[Number(one.slice(1))] ?? '').split(' ')),
    ];
    const rest = [...new Set(flat)].filter(
      (part) => part !== '' && part !== '~' && !part.startsWith("'") && !/^e\d+$/.test(part),
    );
    const all = [...(listed.length > 0 && !rest.includes('s') ? [this.#enum(listed)] : []), ...rest];
    return `${all.length > 1 ? `(${all.join('|')})` : (all[0] ?? '')}${nullable}`;
  }

  #enum(values: readonly string[]): string {
    if (values.some((value) => /[\s`$\\]/.test(value)))
      throw new Error(`a value does not fit the encoding: ${values}`);
    const text = [...new Set(values)].sort().join(' ');
    const number = this.#valueNumbers.get(text) ?? this.values.push(text) - 1;
    this.#valueNumbers.set(text, number);
    return `e${number}`;
  }

  #reference(type: ESTree.TSTypeReference, scope: Scope, name: string): string {
    const parts = nameParts(type.typeName);
    const [argument] = type.typeArguments?.params ?? [];
    const inner = () => (argument === undefined ? 'u' : this.#type(argument, scope, name));
    switch (parts.join('.').replace(/^Stripe\./, '')) {
      case 'Array':
        return `[${inner()}`;
      case 'ApiList':
      case 'ApiSearchResult':
        return `L${inner()}`;
      case 'Omit':
        return inner();
      case 'Emptyable':
        return this.#union([inner(), '~']);
      case 'Record':
      case 'Metadata':
      case 'MetadataParam':
        return 'm';
      case 'Decimal':
        return 't';
      case 'FileData':
        return 'f';
      case 'OtherString':
        return '';
      case 'Partial':
      case 'StripeStreamResponse':
      case 'Uint8Array':
        return 'u';
    }
    const { declaration, scope: home } = resolveType(scope, parts);
    if (declaration.type === 'TSTypeAliasDeclaration')
      return this.#rawType(declaration.typeAnnotation, home, name);
    if (declaration.type !== 'TSInterfaceDeclaration') return 'u';
    if (declaration.body.body.some(({ type: kind }) => kind === 'TSIndexSignature')) return 'm';
    return this.#interface(declaration, type, scope);
  }

  /** An object goes by its kind, a part by its shape; a part within itself is not read on. */
  #interface(declaration: ESTree.TSInterfaceDeclaration, type: ESTree.TSTypeReference, scope: Scope): string {
    const members = membersOf(type, scope);
    const kind = kindOf(members);
    if (kind === undefined) {
      if (this.#open.has(declaration)) return 'u';
      this.#open.add(declaration);
      const text = this.#shape(members, '');
      this.#open.delete(declaration);
      return text;
    }
    if (declaration.id.name.startsWith('Deleted')) return '';
    if (!this.kinds.has(kind)) {
      this.kinds.set(kind, -1);
      this.kinds.set(kind, Number(this.#shape(members, kind).slice(1)));
    }
    return `@${kind}`;
  }
}

/** The text that every object of Stripe's has in `object`. */
function kindOf(members: ReadonlyMap<string, Member>): string | undefined {
  const type = members.get('object')?.signature.typeAnnotation?.typeAnnotation;
  if (type?.type !== 'TSLiteralType' || type.literal.type !== 'Literal') return undefined;
  return typeof type.literal.value === 'string' ? type.literal.value : undefined;
}
