import { Catalog } from '../core/catalog.ts';
import { catalogData } from '../data/catalog.ts';

let catalog: Catalog | undefined;

/** The shipped catalog, indexed once a process. */
export function loadCatalog(): Catalog {
  catalog ??= new Catalog(catalogData);
  return catalog;
}
