import type { Catalog, Operation } from '../../core/catalog/catalog.ts';
import type { DeclaredFields, DeclaredTypes } from '../../core/catalog/declared-types.ts';
import {
  type Collection,
  collectionOf,
  objectKindOf,
  objectKindsInPath,
} from '../../core/catalog/id-prefix.ts';

/** How an object of a seed is written and made. */
export interface SeedBed {
  readonly collection: Collection;
  /** As `object` has it. */
  readonly kind: string;
  /** Undefined where Stripe alone makes such objects, disputes for one. */
  readonly create: Operation | undefined;
  readonly parameters: DeclaredFields;
  readonly fields: DeclaredFields;
  /** The fields that name what stands before the object in its path. */
  readonly parents: readonly string[];
  /** The path template of the collection. */
  readonly path: string;
}

/** Undefined for what is no collection of objects. */
export function seedBed(
  collection: Collection,
  { catalog, types }: { readonly catalog: Catalog; readonly types: DeclaredTypes },
): SeedBed | undefined {
  const kind = objectKindOf(collection)?.object;
  const fields = kind === undefined ? undefined : types.kind(kind);
  const operationOf = (wanted: Operation['kind']) =>
    catalog.operations.find((one) => one.kind === wanted && collectionOf(one.path) === collection);
  const create = operationOf('create');
  const operation = create ?? operationOf('list') ?? operationOf('retrieve');
  if (kind === undefined || fields === undefined || operation === undefined) return undefined;
  const parameters = new Map(create === undefined ? [] : types.parametersOf(create.name));
  parameters.delete('expand');
  const path = operation.path.replace(/\/\{id\}$/, '');
  const parents = objectKindsInPath(path).map(({ object }) => object.replace(/^.*\./, ''));
  return { collection, kind, create, fields, parameters, parents, path };
}
