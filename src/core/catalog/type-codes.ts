import type { Parameter } from './catalog.ts';

/**
 * How `src/core/catalog/data/parameters.ts` writes a type, so that some 650 operations stay small: `amount!:n reason:e12` is a
 * required number and an optional enum whose values are number 12 of the shared lists.
 */
export const TYPE_CODES = {
  string: 's',
  number: 'n',
  boolean: 'b',
  enum: 'e',
  object: 'o',
  array: 'a',
  file: 'f',
} as const satisfies Record<Parameter['type'], string>;
