import type { Catalog } from '../../catalog/catalog.ts';
import { expandableNames } from '../../catalog/expansion.ts';
import { parameterNames } from '../../catalog/parameters.ts';
import { errorCodes } from './error-codes.ts';

/**
 * Words of Stripe's own API. Of what an agent sends, nothing else is kept: any other text may be an id, a name or a
 * key, whatever it looks like.
 */
export interface KnownWords {
  /** Of paths. */
  readonly segments: ReadonlySet<string>;
  /** Names of top-level parameters. */
  readonly parameters: ReadonlySet<string>;
  /** What paths of `expand[]` consist of. */
  readonly fields: ReadonlySet<string>;
  /** `error.code` and `error.type`. */
  readonly codes: ReadonlySet<string>;
  /** ISO 4217, in lower case. */
  readonly currencies: ReadonlySet<string>;
}

/** Load this module only where calls are recorded, for its data. */
export function knownWords(catalog: Catalog): KnownWords {
  return {
    segments: new Set(
      catalog.operations.flatMap(({ path }) => path.split('/')).filter((one) => one !== '{id}'),
    ),
    parameters: parameterNames(),
    fields: expandableNames(),
    codes: errorCodes(),
    currencies: new Set(Intl.supportedValuesOf('currency').map((code) => code.toLowerCase())),
  };
}

/** In place of a name that is none of Stripe's. */
const OTHER_NAME = '(other)';

/** A path of which each segment that is none of Stripe's has become `{id}`. */
export function withoutIds(path: string, { segments }: KnownWords): string {
  return path
    .split('/')
    .slice(0, 20)
    .map((segment) => (segments.has(segment) ? segment : '{id}'))
    .join('/');
}

/** The name of a top-level parameter, if it is one of Stripe's: `metadata[order]` is `metadata`. */
export function parameterName(name: string, { parameters }: KnownWords): string {
  const [top = ''] = name.split('[', 1);
  return parameters.has(top) ? top : OTHER_NAME;
}

/** Whether a path of `expand[]` consists of Stripe's words alone. */
export function isExpandPath(path: string, { fields }: KnownWords): boolean {
  return path.length <= 200 && path.split('.').every((name) => fields.has(name));
}
