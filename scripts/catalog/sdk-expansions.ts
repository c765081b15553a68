import type { ESTree } from 'rolldown/utils';
import type { Answered, ExpandableField, ObjectName } from '../../src/core/catalog/expansion.ts';
import { methodsOf, nameParts, resolveType, type Scope, scopeOf } from './sdk-types.ts';

/** Kinds of objects, each with the fields that can be expanded, by dotted path. */
export type ExpandableFields = ReadonlyMap<ObjectName, ReadonlyMap<string, ExpandableField>>;

type Interface = ESTree.TSInterfaceDeclaration;

/** What a member's type comes to. */
interface Shape {
  /** Whether it can be text, such as an id. */
  text: boolean;
  /** Kinds of objects that it can be. */
  readonly objects: Set<ObjectName>;
  /** Kinds of objects that a list of it holds. */
  readonly listed: Set<ObjectName>;
  readonly parts: Part[];
}

/** What a part of an object declares, as a type of its own or in its place. */
interface Part {
  readonly signatures: readonly ESTree.TSSignature[];
  readonly scope: Scope;
}

/** Which member of which object a shape belongs to. */
interface Where {
  readonly object: ObjectName;
  readonly path: string;
  readonly optional: boolean;
}

/** Reads what can be expanded from the types of the SDK's answers. */
export class ExpansionReader {
  readonly #fields = new Map<ObjectName, Map<string, ExpandableField>>();
  readonly #seen = new Set<Interface>();
  readonly #unread: {
    readonly object: ObjectName;
    readonly declaration: Interface;
    readonly scope: Scope;
  }[] = [];

  /** What a method answers; its kinds of objects, and those that they lead to, are read. Undefined for no object. */
  read(file: string, className: string, method: string): Answered | undefined {
    return this.readIn(scopeOf(file), className, method);
  }

  /** The same of a class in a scope that is at hand. */
  readIn(scope: Scope, className: string, method: string): Answered | undefined {
    for (const { returnType } of methodsOf(scope, className, method)) {
      const type = returnType?.typeAnnotation;
      if (type?.type !== 'TSTypeReference') continue;
      const [name = ''] = nameParts(type.typeName);
      const [answer] = type.typeArguments?.params ?? [];
      if (answer === undefined) continue;
      const shape = this.#shapeOf(unwrapped(answer), scope);
      const isList = name === 'ApiListPromise' || name === 'ApiSearchResultPromise';
      this.#readFields();
      if (shape.objects.size > 0) return { objects: sorted(shape.objects), isList };
    }
    return undefined;
  }

  get fields(): ExpandableFields {
    return this.#fields;
  }

  /** Of one name there may be several declarations, such as that of a deleted object: all count. */
  #readFields(): void {
    for (let next = this.#unread.pop(); next !== undefined; next = this.#unread.pop()) {
      const { object, declaration, scope } = next;
      this.#readMembers({ signatures: declaration.body.body, scope }, object, '', new Set());
    }
  }

  #readMembers(
    { signatures, scope }: Part,
    object: ObjectName,
    prefix: string,
    above: ReadonlySet<Part['signatures']>,
  ): void {
    const within = new Set([...above, signatures]);
    const fields = this.#fields.get(object) ?? new Map<string, ExpandableField>();
    this.#fields.set(object, fields);
    for (const signature of signatures) {
      if (signature.type !== 'TSPropertySignature' || signature.key.type !== 'Identifier') continue;
      if (!signature.typeAnnotation) continue;
      const path = `${prefix}${signature.key.name}`;
      const shape = this.#shapeOf(signature.typeAnnotation.typeAnnotation, scope);
      const field = fieldOf(shape, { object, path, optional: signature.optional });
      if (field !== undefined) fields.set(path, merged(fields.get(path), field));
      for (const part of shape.parts) {
        if (!within.has(part.signatures)) this.#readMembers(part, object, `${path}.`, within);
      }
    }
  }

  #shapeOf(type: ESTree.TSType, scope: Scope): Shape {
    const shape: Shape = { text: false, objects: new Set(), listed: new Set(), parts: [] };
    this.#addShape(type, scope, shape);
    return shape;
  }

  #addShape(type: ESTree.TSType, scope: Scope, shape: Shape): void {
    switch (type.type) {
      case 'TSStringKeyword':
        shape.text = true;
        return;
      case 'TSUnionType':
      case 'TSIntersectionType':
        for (const part of type.types) this.#addShape(part, scope, shape);
        return;
      case 'TSArrayType':
        this.#addShape(type.elementType, scope, shape);
        return;
      case 'TSTypeLiteral':
        shape.parts.push({ signatures: type.members, scope });
        return;
      case 'TSTypeReference':
        this.#addReference(type, scope, shape);
        return;
    }
  }

  #addReference(type: ESTree.TSTypeReference, scope: Scope, shape: Shape): void {
    const parts = nameParts(type.typeName);
    const [argument] = type.typeArguments?.params ?? [];
    switch (parts.join('.').replace(/^Stripe\./, '')) {
      case 'Array':
      case 'Omit':
        if (argument) this.#addShape(argument, scope, shape);
        return;
      case 'ApiList':
      case 'ApiSearchResult':
        if (argument) for (const one of this.#shapeOf(argument, scope).objects) shape.listed.add(one);
        return;
      // Maps of text, the SDK's own classes, a PDF, and the marker of an enum that may have more values.
      case 'Metadata':
      case 'StripeStreamResponse':
      case 'Record':
      case 'Decimal':
      case 'OtherString':
        return;
    }
    const { declaration, scope: home } = resolveType(scope, parts);
    if (declaration.type === 'TSTypeAliasDeclaration') {
      this.#addShape(declaration.typeAnnotation, home, shape);
    } else if (declaration.type === 'TSInterfaceDeclaration') {
      const object = objectNameOf(declaration);
      if (object === undefined) {
        shape.parts.push({ signatures: declaration.body.body, scope: home });
        return;
      }
      shape.objects.add(object);
      if (this.#seen.has(declaration)) return;
      this.#seen.add(declaration);
      this.#unread.push({ object, declaration, scope: home });
    }
  }
}

/**
 * Text that is left out unless it is expanded, which no type says.
 * @see https://docs.stripe.com/api/issuing/cards/object and https://docs.stripe.com/api/apps/secret_store
 */
const TEXT_ON_REQUEST: ReadonlySet<string> = new Set([
  'issuing.card.number',
  'issuing.card.cvc',
  'apps.secret.payload',
]);

/** Undefined for what cannot be expanded, and for parts within parts: those that lead somewhere come with it. */
function fieldOf({ text, objects, listed, parts }: Shape, where: Where): ExpandableField | undefined {
  const { object, path, optional } = where;
  if (objects.size > 0) return { objects: sorted(objects), isList: false, onRequest: text || optional };
  if (listed.size > 0) return { objects: sorted(listed), isList: true, onRequest: optional };
  const isPart = TEXT_ON_REQUEST.has(`${object}.${path}`) || (parts.length > 0 && !path.includes('.'));
  return isPart ? { objects: [], isList: false, onRequest: false } : undefined;
}

/** Declarations of one name may differ: what one of them needs a permission for needs one. */
function merged(known: ExpandableField | undefined, field: ExpandableField): ExpandableField {
  if (known === undefined) return field;
  return {
    objects: sorted(new Set([...known.objects, ...field.objects])),
    isList: field.isList,
    onRequest: known.onRequest || field.onRequest,
  };
}

/** `Response<Charge>` is a charge. */
function unwrapped(type: ESTree.TSType): ESTree.TSType {
  if (type.type !== 'TSTypeReference' || nameParts(type.typeName).at(-1) !== 'Response') return type;
  return type.typeArguments?.params[0] ?? type;
}

/** The text that every object of Stripe's has in `object`. */
function objectNameOf(declaration: Interface): ObjectName | undefined {
  for (const signature of declaration.body.body) {
    if (signature.type !== 'TSPropertySignature' || signature.key.type !== 'Identifier') continue;
    const type = signature.typeAnnotation?.typeAnnotation;
    if (signature.key.name !== 'object' || type?.type !== 'TSLiteralType') continue;
    return type.literal.type === 'Literal' && typeof type.literal.value === 'string'
      ? type.literal.value
      : undefined;
  }
  return undefined;
}

function sorted(names: Iterable<ObjectName>): readonly ObjectName[] {
  return [...names].sort();
}
